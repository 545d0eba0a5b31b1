using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Models.Tests.Checkpoints;

/// <summary>The files of Fixtures/make_fixtures.py.</summary>
internal static class Fixture
{
    public static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "Fixtures", name);

    public static byte[] Bytes(string name) => File.ReadAllBytes(PathOf(name));
}

/// <summary>Assertions about tensors.</summary>
internal static class TensorAssert
{
    /// <summary>Asserts that type, shape and bits are equal, so that NaN equals itself.</summary>
    public static void Same(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.dtype, actual.dtype);
        Assert.Equal(expected.shape, actual.shape);
        using var expectedDense = expected.contiguous();
        using var actualDense = actual.contiguous();
        Assert.Equal(expectedDense.bytes.ToArray(), actualDense.bytes.ToArray());
    }

    /// <summary>Runs an action and asserts that it leaves no tensors of this thread alive.</summary>
    public static void LeavesNone(Action action)
    {
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        action();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }
}
