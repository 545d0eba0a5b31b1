using System.Buffers.Binary;
using System.Text;

namespace Brink.Models;

/// <summary>Tells checkpoint formats apart by their first bytes; extensions such as .pt and .pkl are used for all of them.</summary>
internal static class FormatDetection
{
    // Enough for the mark of a tar archive, which stands at byte 257.
    private const int Window = 512;

    /// <summary>The format of a stream, which is left at its beginning.</summary>
    public static CheckpointFormat Detect(Stream stream) => Of(Start(stream), stream.Length);

    /// <summary>Why an unknown file is refused: what it seems to be instead.</summary>
    public static BadInputException Refuse(Stream stream, string name) => new(
        $"{name} should be a safetensors file or a PyTorch checkpoint, but it is {Describe(stream)}; give a file written by torch.save or by safetensors.");

    /// <summary>What a file of unknown format seems to be, with its article.</summary>
    public static string Describe(Stream stream) => Describe(Start(stream));

    private static CheckpointFormat Of(ReadOnlySpan<byte> start, long length)
    {
        // "PK" and the mark of a first entry, or of an archive without entries.
        if (start.StartsWith("PK\u0003\u0004"u8) || start.StartsWith("PK\u0005\u0006"u8))
        {
            return CheckpointFormat.Zip;
        }

        // A pickle of protocol 2 or later begins with PROTO.
        if (start.Length >= 2 && start[0] == PickleOp.Proto && start[1] is >= 2 and <= 5)
        {
            return CheckpointFormat.Pickle;
        }

        // 8 bytes of length and the brace that opens the header. A wrong length is for the reader to explain.
        return start.Length > 8 && start[8] == '{' && BinaryPrimitives.ReadUInt64LittleEndian(start) <= (ulong)Math.Max(length, SafetensorsHeader.MaximumLength)
            ? CheckpointFormat.Safetensors
            : CheckpointFormat.Unknown;
    }

    private static string Describe(ReadOnlySpan<byte> start)
    {
        const int tarMark = 257;
        if (start.IsEmpty)
        {
            return "empty";
        }

        if (start.Length > tarMark && start[tarMark..].StartsWith("ustar"u8))
        {
            return "a tar archive (PyTorch before 0.1.10 wrote such; later versions of PyTorch can rewrite it)";
        }

        if (start.StartsWith("\u001f"u8) && start.Length > 1 && start[1] == 0x8b)
        {
            return "compressed with gzip (unpack it first)";
        }

        var text = Encoding.UTF8.GetString(start[..Math.Min(60, start.Length)]);
        return text.Any(character => character == '\uFFFD' || (char.IsControl(character) && !char.IsWhiteSpace(character)))
            ? $"other binary data, beginning with the bytes {Convert.ToHexStringLower(start[..Math.Min(8, start.Length)])}"
            : $"text, beginning with {Excerpt.Quote(text)}";
    }

    private static byte[] Start(Stream stream)
    {
        stream.Position = 0;
        var start = new byte[Math.Min(Window, stream.Length)];
        stream.ReadExactly(start);
        stream.Position = 0;
        return start;
    }
}
