using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using ICSharpCode.SharpZipLib.Checksum;

namespace Brink.Fuzzing;

/// <summary>Damages the bytes of valid files at random.</summary>
/// <remarks>
/// A mutator without coverage feedback: SharpFuzz and AFL need an instrumented build and their own programs, and the generators of CsCheck keep
/// every sample for shrinking, which is too slow for millions of executions. An execution is reproduced by its seed alone.
/// </remarks>
internal static partial class Mutation
{
    // Limits of integer types, and their neighbours, at which additions and multiplications overflow.
    private static readonly long[] Integers = [0, 1, -1, 2, 3, 4, 7, 8, 16, 63, 64, 65, 100, 127, 128, 255, 256, 1000, 1024, 32767, 32768, 65535, 65536, int.MaxValue, (long)int.MaxValue + 1, uint.MaxValue, 1L << 32, 1L << 40, long.MaxValue, long.MinValue, int.MinValue];

    // Values of JSON, separators of CSV, and text that is hard to print.
    private static readonly byte[][] Tokens =
    [
        .. new[] { "null", "[]", "{}", "[null]", "\"\"", "true", "-1", "1e999", "-0", "NaN", "\"NaN\"", "\"Infinity\"", "18446744073709551616", "0.5", ",", ";", "\t", "\"", "\r\n", "\n", "\0", "\u001b[31m", "\uFEFF", "\u2028", "😀", "\\ud800", "../", "/", "..", "//", ".png", "a/", ":" }.Select(Encoding.UTF8.GetBytes),
        [.. Enumerable.Repeat((byte)'a', 300)],
        [.. Enumerable.Repeat((byte)'[', 200)],
    ];

    /// <summary>Damages a copy of a file, in one to eight places.</summary>
    /// <param name="random">The random numbers.</param>
    /// <param name="file">The file.</param>
    /// <param name="others">Files to splice with.</param>
    public static byte[] Of(Random random, byte[] file, IReadOnlyList<byte[]> others)
    {
        var changes = random.Next(4) > 0 ? random.Next(1, 4) : random.Next(4, 9);
        for (var change = 0; change < changes; change++)
        {
            file = Once(random, file, others);
        }

        return file;
    }

    /// <summary>Replaces one file of a zip archive by a damaged one, or its name, and packs the archive again with correct checksums.</summary>
    /// <param name="random">The random numbers.</param>
    /// <param name="archive">An undamaged archive.</param>
    public static byte[] OfZip(Random random, byte[] archive)
    {
        List<(string Name, byte[] Content)> entries = [];
        using (var reader = new ZipArchive(new MemoryStream(archive)))
        {
            foreach (var entry in reader.Entries)
            {
                using var content = new MemoryStream();
                using var stream = entry.Open();
                stream.CopyTo(content);
                entries.Add((entry.FullName, content.ToArray()));
            }
        }

        // The pickle and the code are small and matter most.
        var small = entries.FindAll(entry => entry.Name.EndsWith(".pkl", StringComparison.Ordinal) || entry.Name.EndsWith(".py", StringComparison.Ordinal));
        var chosen = small.Count > 0 && random.Next(4) > 0 ? entries.IndexOf(small[random.Next(small.Count)]) : random.Next(entries.Count);
        var (name, damaged) = entries[chosen];
        switch (random.Next(12))
        {
            case 0: entries.RemoveAt(chosen); break;
            case 1: entries[chosen] = (Name(random, name), damaged); break;
            case 2: entries.Insert(chosen, (random.Next(2) == 0 ? name : Name(random, name), damaged)); break;
            case < 8 when name.EndsWith(".py", StringComparison.Ordinal): entries[chosen] = (name, OfCode(random, damaged)); break;
            default: entries[chosen] = (name, Of(random, damaged, [.. entries.Select(entry => entry.Content)])); break;
        }

        using var packed = new MemoryStream();
        using (var writer = new ZipArchive(packed, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (entryName, content) in entries)
            {
                using var stream = writer.CreateEntry(entryName, random.Next(8) == 0 ? CompressionLevel.Fastest : CompressionLevel.NoCompression).Open();
                stream.Write(content);
            }
        }

        return packed.ToArray();
    }

    /// <summary>Damages one chunk of a PNG, of the pixels also before their compression, and corrects its checksum.</summary>
    /// <param name="random">The random numbers.</param>
    /// <param name="file">An undamaged PNG.</param>
    public static byte[] OfPng(Random random, byte[] file)
    {
        const int signature = 8, frame = 12;
        List<(byte[] Type, byte[] Data)> chunks = [];
        for (var place = signature; place + frame <= file.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(place));
            chunks.Add((file[(place + 4)..(place + 8)], file[(place + 8)..(place + 8 + length)]));
            place += frame + length;
        }

        var chosen = random.Next(chunks.Count);
        var (type, data) = chunks[chosen];
        if (type.AsSpan().SequenceEqual("IDAT"u8) && random.Next(2) == 0)
        {
            using var pixels = new MemoryStream();
            using (var inflate = new ZLibStream(new MemoryStream(data), CompressionMode.Decompress))
            {
                inflate.CopyTo(pixels);
            }

            using var deflated = new MemoryStream();
            using (var deflate = new ZLibStream(deflated, CompressionLevel.Fastest, leaveOpen: true))
            {
                deflate.Write(Of(random, pixels.ToArray(), []));
            }

            data = deflated.ToArray();
        }
        else if (random.Next(8) == 0)
        {
            type = [.. Of(random, type, []).Take(type.Length)];
        }
        else
        {
            data = Of(random, data, [.. chunks.Select(chunk => chunk.Data)]);
        }

        chunks[chosen] = ([.. type, .. new byte[4 - type.Length]], data);
        if (random.Next(8) == 0)
        {
            chunks.Insert(random.Next(chunks.Count), chunks[random.Next(chunks.Count)]);
        }

        using var written = new MemoryStream();
        written.Write(file, 0, signature);
        Span<byte> number = stackalloc byte[4];
        foreach (var (chunkType, content) in chunks)
        {
            BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
            written.Write(number);
            written.Write(chunkType);
            written.Write(content);
            written.Write(Crc([.. chunkType, .. content]));
        }

        return written.ToArray();
    }

    /// <summary>Computes the checksum of a chunk of a PNG, of its type and its data.</summary>
    public static byte[] Crc(byte[] chunk)
    {
        var checksum = new Crc32();
        checksum.Update(chunk);
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)checksum.Value);
        return bytes;
    }

    /// <summary>Damages a tar archive and corrects the checksums of its headers.</summary>
    /// <param name="random">The random numbers.</param>
    /// <param name="archive">An undamaged archive.</param>
    /// <param name="others">Archives to splice with.</param>
    public static byte[] OfTar(Random random, byte[] archive, IReadOnlyList<byte[]> others)
    {
        const int block = 512, checksum = 148, checksumLength = 8, magic = 257;
        var headers = Enumerable.Range(0, archive.Length / block).Where(index => archive.AsSpan((index * block) + magic, 5).SequenceEqual("ustar"u8)).ToArray();
        archive = [.. archive];
        for (var change = random.Next(1, 4); change > 0; change--)
        {
            var header = headers[random.Next(headers.Length)] * block;
            // Name, mode, owner, group, size, time, checksum, type, link, magic and version, owner and group names, device numbers, prefix.
            (int Start, int Length)[] fields = [(0, 100), (100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (156, 1), (157, 100), (257, 8), (265, 64), (329, 16), (345, 155)];
            var (start, length) = fields[random.Next(fields.Length)];
            var damaged = Of(random, archive[(header + start)..(header + start + length)], []);
            damaged.AsSpan(0, Math.Min(length, damaged.Length)).CopyTo(archive.AsSpan(header + start));
        }

        archive = random.Next(2) == 0 ? Of(random, archive, others) : archive;
        for (var header = 0; header + block <= archive.Length; header += block)
        {
            if (archive.AsSpan(header + magic, 5).SequenceEqual("ustar"u8))
            {
                archive.AsSpan(header + checksum, checksumLength).Fill((byte)' ');
                var sum = archive.Skip(header).Take(block).Sum(value => value);
                Encoding.ASCII.GetBytes($"{Convert.ToString(sum, 8).PadLeft(6, '0')}\0 ").CopyTo(archive, header + checksum);
            }
        }

        return archive;
    }

    /// <summary>Damages the header of a safetensors file and corrects its length.</summary>
    /// <param name="random">The random numbers.</param>
    /// <param name="file">An undamaged file.</param>
    public static byte[] OfSafetensors(Random random, byte[] file)
    {
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        var header = Of(random, file[8..(8 + length)], []);
        return [.. BitConverter.GetBytes((long)header.Length), .. header, .. file[(8 + length)..]];
    }

    /// <summary>Damages text word by word, so that much of it stays valid: a number or a word is replaced by another, a line is removed or repeated.</summary>
    /// <param name="random">The random numbers.</param>
    /// <param name="text">The text in UTF-8.</param>
    public static byte[] OfCode(Random random, byte[] text)
    {
        var code = Encoding.UTF8.GetString(text);
        for (var change = random.Next(1, 4); change > 0; change--)
        {
            var words = Word().Matches(code);
            var lines = code.Split('\n').ToList();
            if (words.Count == 0)
            {
                break;
            }

            if (random.Next(4) == 0)
            {
                var line = random.Next(lines.Count);
                if (random.Next(2) == 0)
                {
                    lines.RemoveAt(line);
                }
                else
                {
                    lines.Insert(random.Next(lines.Count), lines[line]);
                }

                code = string.Join('\n', lines);
                continue;
            }

            var word = words[random.Next(words.Count)];
            var other = char.IsAsciiDigit(word.Value[0]) ? Integers[random.Next(Integers.Length)].ToString(CultureInfo.InvariantCulture) : words[random.Next(words.Count)].Value;
            code = $"{code[..word.Index]}{other}{code[(word.Index + word.Length)..]}";
        }

        return Encoding.UTF8.GetBytes(code);
    }

    private static byte[] Once(Random random, byte[] file, IReadOnlyList<byte[]> others)
    {
        var place = Place(random, file.Length);
        var left = file.Length - place;
        switch (file.Length == 0 ? 6 : random.Next(12))
        {
            case 0:
                file = [.. file];
                file[place] ^= (byte)(1 << random.Next(8));
                return file;
            case 1:
                file = [.. file];
                file[place] = (byte)random.Next(256);
                return file;
            case 2:
                file = [.. file];
                file[place] += (byte)(random.Next(2) == 0 ? 1 : 255);
                return file;
            case 3 or 4:
                return WithInteger(random, file, place);
            case 5:
                var removed = random.Next(1, Math.Min(left, random.Next(4) == 0 ? 1000 : 8) + 1);
                return [.. file.AsSpan(0, place), .. file.AsSpan(place + removed)];
            case 6:
                var token = Tokens[random.Next(Tokens.Length)];
                return [.. file.AsSpan(0, place), .. token, .. file.AsSpan(place)];
            case 7:
                // A copy elsewhere, over what is there or between it.
                var copied = file.AsSpan(place, random.Next(1, Math.Min(left, 64) + 1));
                var target = Place(random, file.Length);
                return [.. file.AsSpan(0, target), .. copied, .. file.AsSpan(random.Next(2) == 0 ? target : Math.Min(file.Length, target + copied.Length))];
            case 8:
                return random.Next(3) == 0 ? file[..place] : WithNumber(random, file, place);
            case 9 when others.Count > 0:
                var other = others[random.Next(others.Count)];
                return [.. file.AsSpan(0, place), .. other.AsSpan(Place(random, other.Length))];
            case 10:
                var replaced = Tokens[random.Next(Tokens.Length)];
                return [.. file.AsSpan(0, place), .. replaced, .. file.AsSpan(Math.Min(file.Length, place + replaced.Length))];
            default:
                file = [.. file];
                random.NextBytes(file.AsSpan(place, random.Next(1, Math.Min(left, 16) + 1)));
                return file;
        }
    }

    // Headers are at the beginning of most formats and directories at the end.
    private static int Place(Random random, int length) => length == 0 ? 0 : random.Next(4) switch
    {
        0 => random.Next(Math.Min(length, 64)),
        1 => length - 1 - random.Next(Math.Min(length, 256)),
        _ => random.Next(length),
    };

    private static byte[] WithInteger(Random random, byte[] file, int place)
    {
        Span<byte> bytes = stackalloc byte[8];
        var value = Integers[random.Next(Integers.Length)];
        var width = 1 << random.Next(4);
        if (random.Next(2) == 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
            bytes = bytes[..width];
        }
        else
        {
            BinaryPrimitives.WriteInt64BigEndian(bytes, value);
            bytes = bytes[^width..];
        }

        file = [.. file];
        bytes[..Math.Min(width, file.Length - place)].CopyTo(file.AsSpan(place));
        return file;
    }

    /// <summary>Replaces the next decimal number after a place.</summary>
    private static byte[] WithNumber(Random random, byte[] file, int place)
    {
        var start = Array.FindIndex(file, place, value => value is >= (byte)'0' and <= (byte)'9');
        if (start < 0)
        {
            return file;
        }

        var end = Array.FindIndex(file, start, value => value is < (byte)'0' or > (byte)'9') is >= 0 and var found ? found : file.Length;
        return [.. file.AsSpan(0, start), .. Encoding.ASCII.GetBytes(Integers[random.Next(Integers.Length)].ToString(CultureInfo.InvariantCulture)), .. file.AsSpan(end)];
    }

    private static string Name(Random random, string name) => Encoding.UTF8.GetString(Of(random, Encoding.UTF8.GetBytes(name), [])) is { Length: > 0 and < 60_000 } changed ? changed : "x";

    [GeneratedRegex(@"\w+", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Word();
}
