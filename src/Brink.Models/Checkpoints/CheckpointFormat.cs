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

    /// <summary>The format of TorchSharp's <c>module.save</c>.</summary>
    TorchSharp,
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
        $"{name} should be a safetensors file or a PyTorch checkpoint, but it is {Describe(stream)}; give a file written by torch.save, by safetensors or by TorchSharp's module.save.");

    /// <summary>Describes the content of a stream of unknown format.</summary>
    /// <param name="stream">A stream that can seek.</param>
    /// <returns>The description, to follow "it is".</returns>
    public static string Describe(Stream stream) => Describe(Start(stream));

    private static CheckpointFormat Of(byte[] bytes, long length)
    {
        var start = bytes.AsSpan();
        // The signature of a first entry, or of an archive without entries.
        if (start.StartsWith("PK\u0003\u0004"u8) || start.StartsWith("PK\u0005\u0006"u8))
        {
            return CheckpointFormat.Zip;
        }

        // Before the pickle, because a header of 640 bytes and 256 tensors of TorchSharp begin with the bytes of PROTO.
        // 8 bytes of length and the brace that opens the header. The reader explains a wrong length.
        if (start.Length > 8 && start[8] == '{' && BinaryPrimitives.ReadUInt64LittleEndian(start) <= (ulong)Math.Max(length, SafetensorsHeader.MaximumLength))
        {
            return CheckpointFormat.Safetensors;
        }

        if (TorchSharpCheckpoint.IsStart(bytes))
        {
            return CheckpointFormat.TorchSharp;
        }

        // A pickle of protocol 2 or later begins with PROTO.
        return start.Length >= 2 && start[0] == PickleOp.Proto && start[1] is >= 2 and <= 5 ? CheckpointFormat.Pickle : CheckpointFormat.Unknown;
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

        if (IsOnnx(start))
        {
            return "an ONNX model (save the network itself with torch.jit.script(model).save(…), or its weights with torch.save(model.state_dict(), …))";
        }

        var text = Encoding.UTF8.GetString(start[..Math.Min(60, start.Length)]);
        return text.Any(character => character == '\uFFFD' || (char.IsControl(character) && !char.IsWhiteSpace(character)))
            ? $"other binary data, beginning with the bytes {Convert.ToHexStringLower(start[..Math.Min(8, start.Length)])}"
            : $"text, beginning with {Excerpt.Quote(text)}";
    }

    // A ModelProto of onnx.proto: field 1, the version of the format, then one of the fields 2 to 8, 14, 20 and 25.
    private static bool IsOnnx(ReadOnlySpan<byte> start) =>
        start.Length > 2 && start[0] == 0x08 && start[1] is > 0 and < 0x40 && start[2] is 0x12 or 0x1a or 0x22 or 0x28 or 0x32 or 0x3a or 0x42 or 0x72 or 0xa2 or 0xca;

    private static byte[] Start(Stream stream)
    {
        stream.Position = 0;
        var start = new byte[Math.Min(Window, stream.Length)];
        stream.ReadExactly(start);
        stream.Position = 0;
        return start;
    }
}
