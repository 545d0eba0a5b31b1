using System.Runtime.InteropServices;
using System.Security.Cryptography;
using static TorchSharp.torch;

namespace Brink.Reports.Pictures;

/// <summary>A classifier that remembers every image it was shown, in order, each once: on a run of one image, the path of the attack.</summary>
/// <param name="inner">The classifier.</param>
internal sealed class RecordingClassifier(IClassifier inner) : IClassifier
{
    /// <summary>1,024 (ours: more than a picture can show). Beyond it every second point goes, and from then on only every second is taken.</summary>
    internal const int MostPoints = 1024;

    private readonly List<float[]> _points = [];
    private readonly HashSet<UInt128> _seen = [];
    private int _stride = 1;
    private int _count;

    /// <inheritdoc/>
    public string Name => inner.Name;

    /// <inheritdoc/>
    public int ClassCount => inner.ClassCount;

    /// <inheritdoc/>
    public Bounds Bounds => inner.Bounds;

    /// <inheritdoc/>
    public Derivatives Derivatives => inner.Derivatives;

    /// <summary>The images, flattened, as they were first shown.</summary>
    public IReadOnlyList<float[]> Points => _points;

    /// <inheritdoc/>
    public Tensor Logits(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        using (var scope = NewDisposeScope())
        {
            foreach (var image in images.detach().cpu().to(ScalarType.Float32).flatten(1).unbind())
            {
                Remember(image.data<float>().ToArray());
            }
        }

        return inner.Logits(images);
    }

    /// <inheritdoc/>
    public IDisposable EnterEvaluation() => inner.EnterEvaluation();

    private static UInt128 Hash(float[] point) => MemoryMarshal.Read<UInt128>(SHA256.HashData(MemoryMarshal.AsBytes<float>(point)));

    private void Remember(float[] point)
    {
        if (!_seen.Add(Hash(point)) || _count++ % _stride != 0)
        {
            return;
        }

        _points.Add(point);
        if (_points.Count > MostPoints)
        {
            // The first point, the image itself, stays.
            var kept = _points.Where((_, position) => position % 2 == 0).ToArray();
            _points.Clear();
            _points.AddRange(kept);
            _stride *= 2;
        }
    }
}
