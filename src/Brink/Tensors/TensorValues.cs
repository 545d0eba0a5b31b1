using static TorchSharp.torch;

namespace Brink.Tensors;

/// <summary>Small tensors as arrays.</summary>
internal static class TensorValues
{
    /// <summary>The values of an int64 tensor.</summary>
    public static long[] ToLongs(this Tensor values)
    {
        using var onCpu = values.cpu();
        return onCpu.data<long>().ToArray();
    }

    /// <summary>The values of a bool tensor.</summary>
    public static bool[] ToBools(this Tensor values)
    {
        using var onCpu = values.cpu();
        return onCpu.data<bool>().ToArray();
    }

    /// <summary>The values of a floating tensor.</summary>
    public static double[] ToDoubles(this Tensor values)
    {
        using var doubles = values.to(ScalarType.Float64);
        using var onCpu = doubles.cpu();
        return onCpu.data<double>().ToArray();
    }
}
