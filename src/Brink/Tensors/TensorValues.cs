using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Tensors;

/// <summary>Copies of tensor values in host memory: the only place in which the core waits for a device.</summary>
/// <remarks>
/// A GPU works through a queue of operations while the host prepares the next ones. A read waits until the queue is empty, and then the device waits
/// for the host. Attacks therefore read once per step; the tests count <see cref="Reads"/>. BannedSymbols.txt of the core forbids other reads.
/// </remarks>
internal static class TensorValues
{
    // An operation on so many numbers takes a GPU longer than a read.
    private const long Many = 1 << 22;

    [ThreadStatic]
    private static long _reads;

    [ThreadStatic]
    private static bool _avoidsReads;

    /// <summary>The number of reads of the current thread.</summary>
    public static long Reads => _reads;

    /// <summary>Indicates whether the current thread treats the CPU like a GPU (see <see cref="IsReadCheap"/>), for tests.</summary>
    public static bool AvoidsReads
    {
        get => _avoidsReads;
        set => _avoidsReads = value;
    }

    /// <summary>Determines whether a read costs less than operations on all rows that it may save: on the CPU, which has no queue, and for large tensors. The results are the same either way.</summary>
    /// <param name="values">The tensor on which the operations work.</param>
    public static bool IsReadCheap(Tensor values) => !_avoidsReads && (values.device_type == DeviceType.CPU || values.numel() >= Many);

    /// <summary>Copies the values of an int64 tensor to an array.</summary>
    /// <param name="values">The tensor.</param>
    public static long[] ToLongs(this Tensor values) => Read<long>(values);

    /// <summary>Copies the values of a bool tensor to an array.</summary>
    /// <param name="values">The tensor.</param>
    public static bool[] ToBools(this Tensor values) => Read<bool>(values);

    /// <summary>Copies the values of a floating-point tensor to an array.</summary>
    /// <param name="values">The tensor.</param>
    public static double[] ToDoubles(this Tensor values)
    {
        using var doubles = values.to(ScalarType.Float64);
        return Read<double>(doubles);
    }

    /// <summary>Copies the values of several tensors of equal length to arrays, with one read.</summary>
    /// <param name="columns">The tensors, shape [rows], of any type whose values are exact in double precision; flags become 1 and 0.</param>
    public static double[][] ToColumns(params ReadOnlySpan<Tensor> columns)
    {
        using var scope = NewDisposeScope();
        var doubles = new Tensor[columns.Length];
        for (var column = 0; column < doubles.Length; column++)
        {
            doubles[column] = columns[column].detach().to(ScalarType.Float64);
        }

        var length = (int)columns[0].shape[0];
        var values = length == 0 ? [] : Read<double>(cat(doubles));
        return [.. Enumerable.Range(0, doubles.Length).Select(column => values[(column * length)..((column + 1) * length)])];
    }

    /// <summary>Copies the value of a floating-point tensor with one entry.</summary>
    /// <param name="value">The tensor.</param>
    public static double ToNumber(this Tensor value) => value.ToDoubles()[0];

    /// <summary>Determines whether all flags are set.</summary>
    /// <param name="flags">The flags, bool.</param>
    public static bool AreAllSet(this Tensor flags)
    {
        using var all = flags.all();
        return all.ToBools()[0];
    }

    /// <summary>Returns the rows whose flag is set, int64, shape [rows].</summary>
    /// <param name="flags">The flags, bool, shape [batch].</param>
    public static Tensor SetRows(this Tensor flags) =>
        tensor(flags.ToBools().Index().Where(flag => flag.Item).Select(flag => (long)flag.Index).ToArray(), device: flags.device);

    private static T[] Read<T>(Tensor values)
        where T : unmanaged
    {
        _reads++;
#pragma warning disable RS0030 // the only place for reads
        using var onHost = values.cpu();
        return onHost.data<T>().ToArray();
#pragma warning restore RS0030
    }
}
