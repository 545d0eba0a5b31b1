using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Brink.Attacks;
using Brink.Evaluation.Results;
using Parquet;
using Parquet.Schema;

namespace Brink.Evaluation.Runs;

/// <summary>Writes and reads the table <c>images.parquet</c>, with one row per image in the order of the data set.</summary>
internal static class ImageTable
{
    private static readonly Dictionary<string, AttackExit> Exits = Enum.GetValues<AttackExit>().ToDictionary(Name, StringComparer.Ordinal);

    /// <summary>The maximum length of the file in bytes, enough for two million rows, each of thirteen numbers of eight bytes, an exit reason and two flags.</summary>
    public const int LongestFile = 256 << 20;

    // Checked metadata leave little to decode: the rest is the time of a large table on a loaded machine.
    private static readonly TimeSpan DecodingTime = TimeSpan.FromSeconds(4);

    /// <summary>Writes the table.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="images">The images.</param>
    public static void Write(Stream stream, IReadOnlyList<EvaluatedImage> images) => WriteAsync(stream, images).GetAwaiter().GetResult();

    /// <summary>Reads the table.</summary>
    /// <param name="file">The content of the file.</param>
    /// <param name="rows">The number of rows that it must have.</param>
    /// <returns>The rows; their L1 lengths are NaN in tables of older versions.</returns>
    /// <exception cref="InvalidDataException">The table is damaged, or has other columns or another number of rows.</exception>
    public static IReadOnlyList<SavedImage> Read(byte[] file, int rows)
    {
        if (!ParquetMetadata.IsWellFormed(file, rows))
        {
            throw new InvalidDataException("the description of its columns is damaged, or it has another number of rows");
        }

        try
        {
            // The pages of a damaged file of an older version, which has no checksum, could be decoded without end.
            return Task.Run(() => ReadAsync(new EndingStream(file), rows)).WaitAsync(DecodingTime).GetAwaiter().GetResult();
        }
        catch (Exception exception)
        {
            // For a damaged file the Parquet library throws exceptions of many types.
            throw new InvalidDataException(exception.Message, exception);
        }
    }

    private static async Task<IReadOnlyList<SavedImage>> ReadAsync(Stream stream, int rows)
    {
        await using var reader = await ParquetReader.CreateAsync(stream);
        var fields = reader.Schema.GetDataFields().ToDictionary(field => field.Name, StringComparer.Ordinal);
        using var group = reader.OpenRowGroupReader(0);
        // Checked before memory is allocated, because the metadata can state any number.
        if (group.RowCount != rows)
        {
            throw new InvalidDataException($"it needs {rows} rows, but has {group.RowCount}");
        }

        async Task<T[]> Column<T>(string name)
            where T : struct
        {
            var values = new T[group.RowCount];
            await group.ReadAsync<T>(fields[name], values);
            return values;
        }

        var exits = new string[group.RowCount];
        await group.ReadAsync(fields["exit"], exits);
        var (index, label, before, after) = (await Column<long>("index"), await Column<long>("label"), await Column<long>("prediction_before"), await Column<long>("prediction_after"));
        var (fooled, l2, linf, relative) = (await Column<bool>("fooled"), await Column<double>("l2"), await Column<double>("linf"), await Column<double>("relative"));
        // Tables of older versions lack these columns.
        var l1 = fields.ContainsKey("l1") ? await Column<double>("l1") : [.. Enumerable.Repeat(double.NaN, rows)];
        var underflowed = fields.ContainsKey("underflowed") ? await Column<bool>("underflowed") : new bool[group.RowCount];
        var (iterations, forwards, backwards, products) = (await Column<long>("iterations"), await Column<long>("forwards"), await Column<long>("backwards"), await Column<long>("products"));
        var targets = await Column<long>("target");
        return [.. exits.Select((exit, row) => new SavedImage(index[row], label[row], before[row], after[row], fooled[row], Exits[exit], l2[row], linf[row], l1[row], relative[row], iterations[row], forwards[row] + backwards[row], products[row], underflowed[row]) { Target = targets[row] })];
    }

    private static async Task WriteAsync(Stream stream, IReadOnlyList<EvaluatedImage> images)
    {
        var columns = new Column[]
        {
            Numbers("index", image => image.Index),
            Numbers("label", image => image.Outcome.Label),
            Numbers("prediction_before", image => image.Outcome.PredictionBefore),
            Numbers("prediction_after", image => image.Outcome.PredictionAfter),
            Numbers("target", image => image.Outcome.Target),
            Values("fooled", image => image.Outcome.Fooled),
            Texts("exit", image => Name(image.Outcome.Exit)),
            Values("l2", image => image.Outcome.L2),
            Values("linf", image => image.Outcome.LInf),
            Values("l1", image => image.Outcome.L1),
            Values("relative", image => image.Outcome.Relative),
            Numbers("iterations", image => image.Outcome.Iterations),
            Numbers("forwards", image => image.Outcome.Forwards),
            Numbers("backwards", image => image.Outcome.Backwards),
            Numbers("products", image => image.Outcome.Products),
            Values("underflowed", image => image.Outcome.Underflowed),
        };
        await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(columns.Select(column => column.Field).ToArray<Field>()), stream);
        using var group = writer.CreateRowGroup();
        foreach (var column in columns)
        {
            await column.WriteAsync(group, images);
        }
    }

    /// <summary>Returns the name of an exit reason in kebab case: <c>iteration-limit</c>.</summary>
    private static string Name(AttackExit exit) => JsonNamingPolicy.KebabCaseLower.ConvertName(exit.ToString());

    private static Column Numbers(string name, Func<EvaluatedImage, long> value) => Values(name, value);

    private static Column Values<T>(string name, Func<EvaluatedImage, T> value)
        where T : struct
    {
        var field = new DataField<T>(name);
        return new(field, (group, images) => group.WriteAsync<T>(field, images.Select(value).ToArray()));
    }

    private static Column Texts(string name, Func<EvaluatedImage, string> value)
    {
        var field = new DataField<string>(name, nullable: false);
        return new(field, (group, images) => group.WriteAsync(field, images.Select(value).ToArray()));
    }

    private sealed record Column(DataField Field, Func<ParquetRowGroupWriter, IReadOnlyList<EvaluatedImage>, Task> WriteAsync);
}

/// <summary>A file in memory that ends with an exception, because the Parquet library reads the bytes after the end as 255, without end.</summary>
/// <param name="content">The content of the file.</param>
internal sealed class EndingStream(byte[] content) : MemoryStream(content, writable: false)
{
    public override int ReadByte() => base.ReadByte() is >= 0 and var value ? value : throw new EndOfStreamException();
}

/// <summary>Checks the metadata and the headers of the pages of a Parquet file, because damaged ones let the Parquet library read without end, or allocate memory without limit.</summary>
/// <remarks>The encoding is Thrift's compact protocol; the structures are those of parquet.thrift that Brink's tables contain.</remarks>
internal ref struct ParquetMetadata
{
    private const int TrailerLength = 8;
    private const byte Byte = 3;
    private const byte Binary = 8;
    private const byte List = 9;
    private const byte Structure = 12;

    // The largest expansion of a page beside its file: a column of equal values shrinks to less than a hundredth.
    private const long LargestRatio = 1000;

    // The type of each field by its number: int, bytes, byte, bool or the name of a structure; with [] for lists.
    private static readonly Dictionary<string, Dictionary<int, string>> Structures = new(StringComparer.Ordinal)
    {
        ["FileMetaData"] = Fields("1 int, 2 SchemaElement[], 3 int, 4 RowGroup[], 5 KeyValue[], 6 bytes"),
        ["SchemaElement"] = Fields("1 int, 2 int, 3 int, 4 bytes, 5 int, 6 int, 7 int, 8 int, 9 int, 10 LogicalType"),
        ["LogicalType"] = Fields("1 StringType, 10 IntType"),
        ["StringType"] = [],
        ["IntType"] = Fields("1 byte, 2 bool"),
        ["RowGroup"] = Fields("1 ColumnChunk[], 2 int, 3 int, 5 int, 6 int, 7 int"),
        ["ColumnChunk"] = Fields("1 bytes, 2 int, 3 ColumnMetaData, 4 int, 5 int, 6 int, 7 int"),
        ["ColumnMetaData"] = Fields("1 int, 2 int[], 3 bytes[], 4 int, 5 int, 6 int, 7 int, 8 KeyValue[], 9 int, 10 int, 11 int, 12 Statistics, 13 PageEncodingStats[]"),
        ["KeyValue"] = Fields("1 bytes, 2 bytes"),
        ["Statistics"] = Fields("1 bytes, 2 bytes, 3 int, 4 int, 5 bytes, 6 bytes"),
        ["PageEncodingStats"] = Fields("1 int, 2 int, 3 int"),
        ["PageHeader"] = Fields("1 int, 2 int, 3 int, 4 int, 5 DataPageHeader, 7 DictionaryPageHeader, 8 DataPageHeaderV2"),
        ["DataPageHeader"] = Fields("1 int, 2 int, 3 int, 4 int, 5 Statistics"),
        ["DictionaryPageHeader"] = Fields("1 int, 2 int, 3 bool"),
        ["DataPageHeaderV2"] = Fields("1 int, 2 int, 3 int, 4 int, 5 int, 6 int, 7 bool, 8 Statistics"),
    };

    private readonly Dictionary<string, List<long[]>> _found = new(StringComparer.Ordinal);
    private ReadOnlySpan<byte> _left;

    private ParquetMetadata(ReadOnlySpan<byte> left) => _left = left;

    /// <summary>Determines whether the metadata and the headers of the pages have the right types, end where the file says, and state lengths that are possible.</summary>
    /// <param name="file">The content of the file.</param>
    /// <param name="rows">The number of rows that it must have.</param>
    public static bool IsWellFormed(ReadOnlySpan<byte> file, int rows)
    {
        if (file.Length < TrailerLength || !file.EndsWith("PAR1"u8) || BinaryPrimitives.ReadUInt32LittleEndian(file[^TrailerLength..]) is var length && length > file.Length - TrailerLength)
        {
            return false;
        }

        var metadata = new ParquetMetadata(file[^(TrailerLength + (int)length)..^TrailerLength]);
        if (!metadata.SkipStructure("FileMetaData") || !metadata._left.IsEmpty)
        {
            return false;
        }

        foreach (var column in metadata._found.GetValueOrDefault("ColumnMetaData", []))
        {
            if (column[5] != rows || !HasPages(file, column, rows))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Checks that the pages of a column follow each other to its end and have as many values as the table has rows.</summary>
    private static bool HasPages(ReadOnlySpan<byte> file, long[] column, int rows)
    {
        // Fields 7, 9 and 11: the length of the column and the places of its first page of values and of its dictionary, if any.
        var (length, start) = (column[7], column[11] > 0 ? Math.Min(column[9], column[11]) : column[9]);
        if (start < 0 || length < 0 || start > file.Length || length > file.Length - start)
        {
            return false;
        }

        var pages = new ParquetMetadata(file.Slice((int)start, (int)length));
        var values = 0L;
        while (!pages._left.IsEmpty)
        {
            pages._found.Clear();
            // Fields 2 and 3 of a page: its length before and after compression; field 1 of its inner header: its number of values.
            if (!pages.SkipStructure("PageHeader") || pages._found["PageHeader"][0] is not [_, _, var expanded and >= 0, var compressed and >= 0, ..] || expanded > LargestRatio * file.Length || !pages.Take((ulong)compressed))
            {
                return false;
            }

            var counts = pages._found.Where(found => found.Key is "DataPageHeader" or "DataPageHeaderV2" or "DictionaryPageHeader").Select(found => (found.Key, Count: found.Value[0][1])).ToArray();
            if (counts is not [{ Count: >= 0 } header] || header.Count > rows)
            {
                return false;
            }

            values += header.Key == "DictionaryPageHeader" ? 0 : header.Count;
        }

        return values == rows;
    }

    private static Dictionary<int, string> Fields(string fields) =>
        fields.Split(", ").Select(field => field.Split(' ')).ToDictionary(field => int.Parse(field[0], CultureInfo.InvariantCulture), field => field[1]);

    private static bool Matches(int encoded, string type) => type switch
    {
        "int" => encoded is 4 or 5 or 6,
        "bytes" => encoded == Binary,
        "byte" => encoded == Byte,
        "bool" => encoded is 1 or 2,
        _ => encoded == (type.EndsWith(']') ? List : Structure),
    };

    private bool Skip(string type) => type switch
    {
        "int" => Integer() is not null,
        "bytes" => Integer() is { } length && Take(length),
        "byte" => Take(1),
        // Its value is its type.
        "bool" => true,
        _ => type.EndsWith(']') ? SkipList(type[..^2]) : SkipStructure(type),
    };

    /// <summary>Skips a structure and remembers its integers by the numbers of their fields.</summary>
    private bool SkipStructure(string name)
    {
        var fields = Structures[name];
        var integers = new long[16];
        for (var number = 0; Next() is { } header;)
        {
            if (header == 0)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(_found, name, out _) ??= [];
                _found[name].Add(integers);
                return true;
            }

            // The number of a field is the difference to the one before; the form for differences above 15 is not needed.
            number += header >> 4;
            if (header >> 4 == 0 || !fields.TryGetValue(number, out var type) || !Matches(header & 15, type))
            {
                return false;
            }

            if (type == "int" && Integer() is { } value)
            {
                // The sign is the lowest bit.
                integers[number] = (long)(value >> 1) ^ -(long)(value & 1);
            }
            else if (type == "int" || !Skip(type))
            {
                return false;
            }
        }

        return false;
    }

    private bool SkipList(string type)
    {
        const int longForm = 15;
        if (Next() is not { } header || (header >> 4 == longForm ? Integer() : (ulong)(header >> 4)) is not { } count || count > (ulong)_left.Length || !Matches(header & 15, type))
        {
            return false;
        }

        // Each element takes at least a byte.
        for (var element = 0UL; element < count; element++)
        {
            if (!Skip(type))
            {
                return false;
            }
        }

        return true;
    }

    private byte? Next()
    {
        byte? next = _left.IsEmpty ? null : _left[0];
        return Take(1) ? next : null;
    }

    private bool Take(ulong length)
    {
        var isThere = length <= (ulong)_left.Length;
        _left = isThere ? _left[(int)length..] : _left;
        return isThere;
    }

    /// <summary>Reads an integer of at most ten bytes, the lowest seven bits first; null if the bytes end.</summary>
    private ulong? Integer()
    {
        var value = 0UL;
        for (var index = 0; index < Math.Min(_left.Length, 10); index++)
        {
            value |= (ulong)(_left[index] & 0x7f) << (7 * index);
            if (_left[index] < 0x80)
            {
                _left = _left[(index + 1)..];
                return value;
            }
        }

        return null;
    }
}

/// <summary>One row of <c>images.parquet</c>: the result for one image.</summary>
/// <param name="Index">The index of the image in the data set.</param>
/// <param name="Label">The label.</param>
/// <param name="PredictionBefore">The prediction before the attack, or −1 if there was none.</param>
/// <param name="PredictionAfter">The prediction for the image that the attack returned.</param>
/// <param name="Fooled">A value that indicates whether the image was fooled, confirmed by a fresh forward pass.</param>
/// <param name="Exit">The exit reason.</param>
/// <param name="L2">The length ‖x′ − x‖₂, in the space of the attack.</param>
/// <param name="LInf">The length ‖x′ − x‖_∞, in the space of the attack.</param>
/// <param name="L1">The length ‖x′ − x‖₁, in the space of the attack.</param>
/// <param name="Relative">The relative perturbation ‖x′ − x‖_p / ‖x‖_p, in the norm and the space of the attack.</param>
/// <param name="Iterations">The number of iterations.</param>
/// <param name="Passes">The number of forward and backward passes.</param>
/// <param name="Products">The number of Hessian-vector products.</param>
/// <param name="Underflowed">A value that indicates whether the cross-entropy underflowed and the logit gap replaced it.</param>
internal sealed record SavedImage(long Index, long Label, long PredictionBefore, long PredictionAfter, bool Fooled, AttackExit Exit, double L2, double LInf, double L1, double Relative, long Iterations, long Passes, long Products, bool Underflowed)
{
    /// <summary>The target class, or −1 if none was chosen.</summary>
    public long Target { get; init; } = -1;

    /// <summary>Indicates whether the image was attacked: it was classified correctly, and its label is not the target class.</summary>
    public bool Attacked => Exit is not (AttackExit.Misclassified or AttackExit.Skipped);

    /// <summary>Returns the length of the perturbation in a norm.</summary>
    /// <param name="norm">The norm: <c>l2</c>, <c>linf</c> or <c>l1</c>.</param>
    public double Length(string norm) => norm switch { "linf" => LInf, "l1" => L1, _ => L2 };
}
