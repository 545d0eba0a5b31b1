using System.Text;
using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Reads files of TorchSharp's <c>module.save</c>: the number of tensors, then name, type, shape and bytes of each.</summary>
/// <remarks>Integers are unsigned LEB128: seven bits per byte, the lowest first, the eighth bit set in all bytes except the last. Source: TensorExtensionMethods.Save and Module.save of TorchSharp.</remarks>
internal static class TorchSharpCheckpoint
{
    // The largest network of the catalogue has 725 tensors. A name must fit in the bytes that are looked at to detect the format.
    private const int MaximumTensors = 100_000;
    private const int MaximumNameBytes = 400;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Determines whether a file can begin with these bytes: a count, and the name, type and shape of a tensor.</summary>
    /// <param name="start">The first bytes of the file.</param>
    public static bool IsStart(byte[] start)
    {
        using var stream = new MemoryStream(start);
        return Integer(stream) is > 0 and <= MaximumTensors && Header(stream).Tensor is not null;
    }

    /// <summary>Reads the selected tensors.</summary>
    /// <param name="stream">A stream that can seek, at its beginning.</param>
    /// <param name="source">The file, for error messages.</param>
    /// <param name="select">The selection.</param>
    /// <returns>The selected tensors, in the caller's dispose scope.</returns>
    public static IReadOnlyDictionary<StoredTensor, Tensor> Read(Stream stream, CheckpointSource source, TensorSelection select)
    {
        var count = Integer(stream);
        if (count is not (> 0 and <= MaximumTensors))
        {
            throw source.Refuse($"it must begin with the number of tensors, at most {MaximumTensors}, but does not");
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        var tensors = new List<StoredTensor>();
        var positions = new Dictionary<StoredTensor, long>();
        for (var index = 0L; index < count; index++)
        {
            var (tensor, byteCount) = Header(stream);
            if (tensor is null)
            {
                throw source.Refuse($"the name, type and shape of tensor {index + 1} of {count} are damaged or missing");
            }

            if (!names.Add(tensor.Name))
            {
                throw source.Refuse($"names must differ, but it has {Excerpt.Quote(tensor.Name)} twice");
            }

            if (byteCount > stream.Length - stream.Position)
            {
                throw source.Refuse($"{Excerpt.Quote(tensor.Name)} of shape {Excerpt.Shape(tensor.Shape)} needs {byteCount} bytes, but only {stream.Length - stream.Position} follow");
            }

            tensors.Add(tensor);
            positions.Add(tensor, stream.Position);
            stream.Position += byteCount;
        }

        if (stream.Position != stream.Length)
        {
            throw source.Refuse($"{stream.Length - stream.Position} bytes follow its last tensor");
        }

        using var scope = NewDisposeScope();
        var read = new OrderedDictionary<StoredTensor, Tensor>();
        foreach (var tensor in select(tensors))
        {
            var values = empty([.. tensor.Shape], tensor.Type, CPU);
            stream.Position = positions[tensor];
            TensorBytes.Fill(values, stream, source);
            read.Add(tensor, values);
        }

        foreach (var values in read.Values)
        {
            values.MoveToOuterDisposeScope();
        }

        return read;
    }

    /// <summary>Reads the name, the type and the shape of a tensor.</summary>
    /// <returns>The tensor and the number of its bytes; null if the stream contains something else or ends.</returns>
    private static (StoredTensor? Tensor, long ByteCount) Header(Stream stream)
    {
        if (Name(stream) is not { } name
            || Integer(stream) is not (>= 0 and <= sbyte.MaxValue and var type) || ElementType.Of((ScalarType)type) is not { } element
            || Integer(stream) is not (>= 0 and <= TensorShape.MaximumRank and var rank))
        {
            return default;
        }

        var shape = new long[rank];
        for (var dimension = 0; dimension < rank; dimension++)
        {
            shape[dimension] = Integer(stream);
        }

        return TensorShape.ByteCount(shape, element.Size) is { } byteCount ? (new("", name, element.Scalar, shape), byteCount) : default;
    }

    // Null unless the stream contains a length and a name without control characters.
    private static string? Name(Stream stream)
    {
        if (Integer(stream) is not (> 0 and <= MaximumNameBytes and var length))
        {
            return null;
        }

        var bytes = new byte[length];
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
        {
            return null;
        }

        try
        {
            var name = Utf8.GetString(bytes);
            return name.Any(char.IsControl) ? null : name;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    // Negative if the stream ends or the number does not fit in 63 bits.
    private static long Integer(Stream stream)
    {
        long number = 0;
        for (var shift = 0; shift < 63; shift += 7)
        {
            var next = stream.ReadByte();
            if (next < 0)
            {
                return -1;
            }

            number |= (long)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return number;
            }
        }

        return -1;
    }
}
