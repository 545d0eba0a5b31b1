using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Moves raw little-endian bytes between streams and tensors without a copy in between.</summary>
internal static class TensorBytes
{
    // A span holds at most 2 GiB; a tensor may be larger.
    private const long MaximumPart = 1L << 27;

    /// <summary>Overwrites a dense CPU tensor with the next bytes of the stream.</summary>
    /// <exception cref="EndOfStreamException">The stream ends first.</exception>
    public static void Fill(Tensor tensor, Stream stream, CheckpointSource source)
    {
        var isBool = tensor.dtype == ScalarType.Bool;
        foreach (var part in Parts(tensor))
        {
            using (part)
            {
                var bytes = part.bytes;
                stream.ReadExactly(bytes);
                if (isBool && bytes.ContainsAnyExceptInRange((byte)0, (byte)1))
                {
                    // Compiled code may assume that a bool is 0 or 1; any other byte is undefined behaviour in libtorch.
                    throw source.Refuse("a boolean must be the byte 0 or 1, but a boolean tensor holds another value");
                }
            }
        }
    }

    /// <summary>Writes a tensor's elements in row-major order.</summary>
    public static void Write(Tensor tensor, Stream stream)
    {
        using var local = tensor.cpu();
        using var dense = local.contiguous();
        foreach (var part in Parts(dense))
        {
            using (part)
            {
                stream.Write(part.bytes);
            }
        }
    }

    private static IEnumerable<Tensor> Parts(Tensor dense)
    {
        var count = dense.numel();
        if (count == 0)
        {
            yield break;
        }

        using var detached = dense.detach();
        using var flat = detached.view(count);
        for (long start = 0; start < count; start += MaximumPart)
        {
            yield return flat.narrow(0, start, Math.Min(MaximumPart, count - start));
        }
    }
}
