using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Brink.Models;

/// <summary>Reads the arguments of pickle instructions. Each length is compared with the remaining bytes before memory is allocated.</summary>
internal sealed class PickleInput(Stream stream, CheckpointSource source)
{
    // Far above any name, key or line of a checkpoint, and far below the longest string of .NET.
    private const int MaximumTextBytes = 1 << 24;

    // The magic number has 10 bytes. Parsing decimal digits takes more than linear time, so their number is limited.
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

    // In a pickle floats are big-endian and everything else is little-endian.
    public double Double() => BinaryPrimitives.ReadDoubleBigEndian(Bytes(sizeof(double)));

    public byte[] Bytes(ulong count)
    {
        if (count > (ulong)Math.Max(0, _length - stream.Position))
        {
            throw Ends();
        }

        if (count > MaximumTextBytes)
        {
            throw source.Refuse($"a string in it may have at most {MaximumTextBytes} bytes, but one has {count}");
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
            throw source.Refuse("its strings must be UTF-8, but one is not", exception);
        }
    }

    /// <summary>Reads the text up to the next line feed.</summary>
    public string Line()
    {
        var line = new StringBuilder();
        for (var next = Byte(); next != '\n'; next = Byte())
        {
            if (line.Length == MaximumTextBytes)
            {
                throw source.Refuse($"a line in it may have at most {MaximumTextBytes} bytes, but one has more");
            }

            line.Append((char)next);
        }

        return line.ToString();
    }

    /// <summary>Reads a line with a decimal integer. Protocol 0 writes Booleans as 00 and 01, and appends L to a long.</summary>
    public object DecimalInteger()
    {
        var line = Line();
        var digits = line.EndsWith('L') ? line[..^1] : line;
        return line switch
        {
            "00" => false,
            "01" => true,
            _ when digits.Length <= MaximumIntegerBytes && BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) => Narrow(value),
            _ => throw source.Refuse($"it should contain an integer instead of {Excerpt.Quote(line)}"),
        };
    }

    public double DecimalFloat()
    {
        var line = Line();
        return double.TryParse(line, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw source.Refuse($"it should contain a number instead of {Excerpt.Quote(line)}");
    }

    /// <summary>Reads a little-endian integer in two's complement, as a <see cref="long"/> if it fits and as a <see cref="BigInteger"/> otherwise.</summary>
    public object BinaryInteger(long count) => count is >= 0 and <= MaximumIntegerBytes
        ? Narrow(new BigInteger(Bytes((ulong)count)))
        : throw source.Refuse($"an integer in it may have at most {MaximumIntegerBytes} bytes, but one has {count}");

    // Without the cast to object the compiler would convert the long back to a BigInteger.
    private static object Narrow(BigInteger value) => value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;

    private BadInputException Ends() => source.Refuse($"it ends in the middle of its pickle, after {_length} bytes");
}

/// <summary>The instructions of Python's pickle machine, named as in CPython's <c>Lib/pickletools.py</c>.</summary>
internal static class PickleOp
{
    public const byte Mark = (byte)'(';
    public const byte Stop = (byte)'.';
    public const byte Pop = (byte)'0';
    public const byte PopMark = (byte)'1';
    public const byte Dup = (byte)'2';
    public const byte Float = (byte)'F';
    public const byte Int = (byte)'I';
    public const byte BinInt = (byte)'J';
    public const byte BinInt1 = (byte)'K';
    public const byte Long = (byte)'L';
    public const byte BinInt2 = (byte)'M';
    public const byte None = (byte)'N';
    public const byte BinPersId = (byte)'Q';
    public const byte Reduce = (byte)'R';
    public const byte BinString = (byte)'T';
    public const byte ShortBinString = (byte)'U';
    public const byte BinUnicode = (byte)'X';
    public const byte Append = (byte)'a';
    public const byte Build = (byte)'b';
    public const byte Global = (byte)'c';
    public const byte Dict = (byte)'d';
    public const byte EmptyDict = (byte)'}';
    public const byte Appends = (byte)'e';
    public const byte Get = (byte)'g';
    public const byte BinGet = (byte)'h';
    public const byte Inst = (byte)'i';
    public const byte LongBinGet = (byte)'j';
    public const byte List = (byte)'l';
    public const byte EmptyList = (byte)']';
    public const byte Put = (byte)'p';
    public const byte BinPut = (byte)'q';
    public const byte LongBinPut = (byte)'r';
    public const byte SetItem = (byte)'s';
    public const byte Tuple = (byte)'t';
    public const byte EmptyTuple = (byte)')';
    public const byte SetItems = (byte)'u';
    public const byte BinFloat = (byte)'G';
    public const byte BinBytes = (byte)'B';
    public const byte ShortBinBytes = (byte)'C';

    // Protocol 2.
    public const byte Proto = 0x80;
    public const byte NewObject = 0x81;
    public const byte Tuple1 = 0x85;
    public const byte Tuple2 = 0x86;
    public const byte Tuple3 = 0x87;
    public const byte NewTrue = 0x88;
    public const byte NewFalse = 0x89;
    public const byte Long1 = 0x8a;
    public const byte Long4 = 0x8b;

    // Protocol 4.
    public const byte ShortBinUnicode = 0x8c;
    public const byte BinUnicode8 = 0x8d;
    public const byte BinBytes8 = 0x8e;
    public const byte StackGlobal = 0x93;
    public const byte Memoize = 0x94;
    public const byte Frame = 0x95;
}
