using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Brink.Models;

/// <summary>The arguments of pickle instructions. A length is checked against the bytes that are really left before memory is taken.</summary>
internal sealed class PickleInput(Stream stream, CheckpointSource source)
{
    // No name, key or line in a checkpoint comes near this; it keeps one string within what .NET can hold.
    private const int MaximumTextBytes = 1 << 24;

    // The magic number has 10 bytes. Parsing decimal digits and comparing costs more than linear time, hence a cap.
    private const int MaximumIntegerBytes = 256;

    private static UTF8Encoding StrictUtf8 { get; } = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly long _length = stream.Length;

    public byte Byte()
    {
        var value = stream.ReadByte();
        return value >= 0 ? (byte)value : throw Ends();
    }

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Bytes(sizeof(ushort)));

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Bytes(sizeof(int)));

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(sizeof(uint)));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(sizeof(ulong)));

    // Pickle keeps floats big-endian, and everything else little-endian.
    public double Double() => BinaryPrimitives.ReadDoubleBigEndian(Bytes(sizeof(double)));

    public byte[] Bytes(ulong count)
    {
        if (count > (ulong)Math.Max(0, _length - stream.Position))
        {
            throw Ends();
        }

        if (count > MaximumTextBytes)
        {
            throw source.Refuse($"a text in it may have {MaximumTextBytes} bytes, but one has {count}");
        }

        var bytes = new byte[count];
        stream.ReadExactly(bytes);
        return bytes;
    }

    public string Text(ulong count)
    {
        try
        {
            return StrictUtf8.GetString(Bytes(count));
        }
        catch (DecoderFallbackException exception)
        {
            throw source.Refuse("its text must be UTF-8, but is not", exception);
        }
    }

    /// <summary>The text up to the next line feed.</summary>
    public string Line()
    {
        var line = new StringBuilder();
        for (var next = Byte(); next != '\n'; next = Byte())
        {
            if (line.Length == MaximumTextBytes)
            {
                throw source.Refuse($"a line in it may have {MaximumTextBytes} bytes, but one has more");
            }

            line.Append((char)next);
        }

        return line.ToString();
    }

    /// <summary>A decimal integer on a line of its own; protocol 0 writes the booleans as 00 and 01, and a long with an L behind it.</summary>
    public object DecimalInteger()
    {
        var line = Line();
        var digits = line.EndsWith('L') ? line[..^1] : line;
        return line switch
        {
            "00" => false,
            "01" => true,
            _ when digits.Length <= MaximumIntegerBytes && BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) => Narrow(value),
            _ => throw source.Refuse($"it should have an integer where it has {Excerpt.Quote(line)}"),
        };
    }

    public double DecimalFloat()
    {
        var line = Line();
        return double.TryParse(line, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw source.Refuse($"it should have a number where it has {Excerpt.Quote(line)}");
    }

    /// <summary>An integer in two's complement, little-endian: a <see cref="long"/> where it fits, else a <see cref="BigInteger"/>.</summary>
    public object BinaryInteger(long count) => count is >= 0 and <= MaximumIntegerBytes
        ? Narrow(new BigInteger(Bytes((ulong)count)))
        : throw source.Refuse($"an integer in it may have {MaximumIntegerBytes} bytes, but one claims {count}");

    // The cast to object keeps the compiler from turning the long back into a BigInteger.
    private static object Narrow(BigInteger value) => value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;

    private BadInputException Ends() => source.Refuse($"it ends in the middle of its pickle, after {_length} bytes");
}
