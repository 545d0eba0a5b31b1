using static TorchSharp.torch;

namespace Brink.Tensors;

/// <summary>Conversions of small tensors to arrays.</summary>
internal static class TensorValues
{
    /// <summary>Copies the values of an int64 tensor to an array.</summary>
    /// <param name="values">The tensor.</param>
    public static long[] ToLongs(this Tensor values)
    {
        using var onCpu = values.cpu();
        return onCpu.data<long>().ToArray();
    }

    /// <summary>Copies the values of a bool tensor to an array.</summary>
    /// <param name="values">The tensor.</param>
    public static bool[] ToBools(this Tensor values)
    {
        using var onCpu = values.cpu();
        return onCpu.data<bool>().ToArray();
    }

    /// <summary>Copies the values of a floating-point tensor to an array.</summary>
    /// <param name="values">The tensor.</param>
    public static double[] ToDoubles(this Tensor values)
    {
        using var doubles = values.to(ScalarType.Float64);
        using var onCpu = doubles.cpu();
        return onCpu.data<double>().ToArray();
    }
}
