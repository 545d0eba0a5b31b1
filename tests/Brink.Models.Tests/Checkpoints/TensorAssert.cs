using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Models.Tests.Checkpoints;

/// <summary>Claims about tensors.</summary>
internal static class TensorAssert
{
    /// <summary>Same type, shape and bits, so that NaN equals itself.</summary>
    public static void Same(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.dtype, actual.dtype);
        Assert.Equal(expected.shape, actual.shape);
        using var expectedDense = expected.contiguous();
        using var actualDense = actual.contiguous();
        Assert.Equal(expectedDense.bytes.ToArray(), actualDense.bytes.ToArray());
    }

    /// <summary>Runs the action and fails if tensors of this thread outlive it.</summary>
    public static void LeavesNone(Action action)
    {
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        action();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }
}
