using System.Buffers.Binary;
using System.Text;

namespace Brink.Models;

/// <summary>The format of a checkpoint, detected from its content.</summary>
internal enum CheckpointFormat
{
    /// <summary>A format that Brink does not read.</summary>
    Unknown,

    /// <summary>The safetensors format: a length, a JSON header and raw tensors.</summary>
    Safetensors,

    /// <summary>The zip archive that torch.save writes since PyTorch 1.6, or another zip archive.</summary>
    Zip,

    /// <summary>The sequence of pickles that torch.save wrote before PyTorch 1.6, or another pickle.</summary>
    Pickle,
}

/// <summary>Detects the format of a checkpoint from its first bytes, because extensions such as .pt and .pkl are used for all formats.</summary>
internal static class FormatDetection
{
    // Enough for the signature of a tar archive, which is at byte 257.
    private const int Window = 512;

    /// <summary>Detects the format of a stream and sets its position to 0.</summary>
    /// <param name="stream">A stream that can seek.</param>
    /// <returns>The format.</returns>
    public static CheckpointFormat Detect(Stream stream) => Of(Start(stream), stream.Length);

    /// <summary>Creates the exception for a stream of unknown format.</summary>
    /// <param name="stream">A stream that can seek.</param>
    /// <param name="name">The name of the stream in the message.</param>
    /// <returns>The exception, whose message describes the content.</returns>
    public static BadInputException Refuse(Stream stream, string name) => new(
        $"{name} should be a safetensors file or a PyTorch checkpoint, but it is {Describe(stream)}; give a file written by torch.save or by safetensors.");

    /// <summary>Describes the content of a stream of unknown format.</summary>
    /// <param name="stream">A stream that can seek.</param>
    /// <returns>The description, to follow "it is".</returns>
    public static string Describe(Stream stream) => Describe(Start(stream));

    private static CheckpointFormat Of(ReadOnlySpan<byte> start, long length)
    {
        // The signature of a first entry, or of an archive without entries.
        if (start.StartsWith("PK\u0003\u0004"u8) || start.StartsWith("PK\u0005\u0006"u8))
        {
            return CheckpointFormat.Zip;
        }

        // A pickle of protocol 2 or later begins with PROTO.
        if (start.Length >= 2 && start[0] == PickleOp.Proto && start[1] is >= 2 and <= 5)
        {
            return CheckpointFormat.Pickle;
        }

        // 8 bytes of length and the brace that opens the header. The reader explains a wrong length.
        return start.Length > 8 && start[8] == '{' && BinaryPrimitives.ReadUInt64LittleEndian(start) <= (ulong)Math.Max(length, SafetensorsHeader.MaximumLength)
            ? CheckpointFormat.Safetensors
            : CheckpointFormat.Unknown;
    }

    private static string Describe(ReadOnlySpan<byte> start)
    {
        const int tarSignature = 257;
        if (start.IsEmpty)
        {
            return "empty";
        }

        if (start.Length > tarSignature && start[tarSignature..].StartsWith("ustar"u8))
        {
            return "a tar archive (the format of PyTorch before 0.1.10; later versions of PyTorch can convert it)";
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
