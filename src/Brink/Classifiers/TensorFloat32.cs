using TorchSharp;
using static TorchSharp.torch;

namespace Brink;

/// <summary>The use of TensorFloat32 (TF32) by NVIDIA GPUs for convolutions and matrix products of float32 numbers.</summary>
/// <remarks>
/// TF32 keeps 10 of the 23 bits of the mantissa, and libtorch uses it for convolutions by default. Adversarial images are at the boundary of
/// two classes, where this changes predictions: images would be reported as fooled that are not fooled in float32. So every pass that Brink runs
/// on a GPU turns it off, together with reduced precision in sums of float16 products, and restores the settings when it ends. The settings of
/// libtorch are those of the process: other computations of the application on a GPU during a pass are without TF32 too.
/// </remarks>
internal static class TensorFloat32
{
    private static readonly Lock Lock = new();
    private static int _passes;
    private static int _exactPasses;
    private static Settings _before;

    /// <summary>Forbids TF32 to this process until it is changed, or allows it: for computations that are not passes of a classifier, such as training.</summary>
    /// <param name="allow">Whether to allow it.</param>
    public static void SetProcess(bool allow) => new Settings(allow, allow, false).Apply();

    /// <summary>Sets the precision of a pass until the returned object is disposed.</summary>
    /// <param name="device">The device of the pass.</param>
    /// <param name="isSearch">True for a pass of a search, to which <see cref="ForwardPass.AllowTensorFloat32"/> applies.</param>
    /// <returns>The object to dispose; null on a device without TF32.</returns>
    public static IDisposable? Pass(Device device, bool isSearch) => device.type == DeviceType.CUDA ? new Use(isExact: !isSearch || !ForwardPass.AllowTensorFloat32) : null;

    /// <summary>The settings of libtorch.</summary>
    internal readonly record struct Settings(bool Convolutions, bool MatrixProducts, bool ReducedSums)
    {
        public static Settings Current => new(backends.cudnn.allow_tf32, backends.cuda.matmul.allow_tf32, backends.cuda.matmul.allow_fp16_reduced_precision_reduction);

        public void Apply()
        {
            backends.cudnn.allow_tf32 = Convolutions;
            backends.cuda.matmul.allow_tf32 = MatrixProducts;
            backends.cuda.matmul.allow_fp16_reduced_precision_reduction = ReducedSums;
        }
    }

    /// <summary>A pass. Passes on several threads share the settings: without TF32 while one of them must be exact; the last one restores the settings.</summary>
    internal sealed class Use : IDisposable
    {
        private readonly bool _isExact;
        private bool _isDisposed;

        public Use(bool isExact)
        {
            _isExact = isExact;
            lock (Lock)
            {
                _before = _passes == 0 ? Settings.Current : _before;
                _passes++;
                _exactPasses += isExact ? 1 : 0;
                Apply();
            }
        }

        public void Dispose()
        {
            lock (Lock)
            {
                if (_isDisposed)
                {
                    return;
                }

                _isDisposed = true;
                _passes--;
                _exactPasses -= _isExact ? 1 : 0;
                if (_passes == 0)
                {
                    _before.Apply();
                }
                else
                {
                    Apply();
                }
            }
        }

        private static void Apply() => new Settings(_exactPasses == 0, _exactPasses == 0, false).Apply();
    }
}
