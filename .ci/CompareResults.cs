#:package Parquet.Net
#:property NeedsLibtorch=false
#:property PublishAot=false
#:property NoWarn=$(NoWarn);MA0047;MA0048
// Compares the results of the same runs of two commits; .ci/compare-results builds and runs them, and calls this program:
//   OLD_FOLDER NEW_FOLDER RUNS_FILE [--renamed OLD=NEW]… [--ignore KEY]… [--strict-warnings]
// Exit code: 0 equal, 1 different, 2 an unexpected failure.
using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Parquet;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
try
{
    var runs = File.ReadAllLines(args[2]).Select(line => line.Split('\t')).Select(fields => new Run(fields[0], fields[1])).ToArray();
    var options = CompareOptions.Parse(args.AsSpan(3));
    var compared = new List<ComparedRun>();
    foreach (var run in runs)
    {
        compared.Add(await ComparedRun.Of(run, Path.Combine(args[0], run.Name), Path.Combine(args[1], run.Name), options));
    }

    return Report.Print(compared);
}
catch (Exception exception)
{
    Console.Error.WriteLine(exception);
    return 2;
}

/// <summary>A run: its name, and its arguments after <c>brink attack</c>.</summary>
internal sealed record Run(string Name, string Arguments);

/// <summary>The options of the comparison.</summary>
internal sealed record CompareOptions(Dictionary<string, string> Renamed, HashSet<string> Ignored, bool StrictWarnings)
{
    public static CompareOptions Parse(ReadOnlySpan<string> args)
    {
        // Times and the version differ between any two commits.
        var options = new CompareOptions(new(StringComparer.Ordinal), new(StringComparer.Ordinal) { "seconds", "secondsPerImage", "brinkVersion" }, StrictWarnings: false);
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--renamed":
                    var pair = args[++i].Split('=', 2);
                    options.Renamed[pair[0]] = pair[1];
                    break;
                case "--ignore":
                    options.Ignored.Add(args[++i]);
                    break;
                case "--strict-warnings":
                    options = options with { StrictWarnings = true };
                    break;
                default:
                    throw new ArgumentException($"There is no option {args[i]}.", nameof(args));
            }
        }

        return options;
    }

    /// <summary>Returns the name that the new commit has for a text value of the old one.</summary>
    public string Rename(string old) => Renamed.GetValueOrDefault(old, old);
}

/// <summary>The outcome of one file. Notes do not count as differences.</summary>
internal sealed record ComparedFile(string Name, string Verdict, IReadOnlyList<string> Differences, IReadOnlyList<string> Notes)
{
    public bool Equal => Differences.Count == 0;

    public static ComparedFile Of(string name, IReadOnlyList<string> differences, string unit, IReadOnlyList<string>? notes = null) =>
        new(name, differences.Count == 0 ? "equal" : $"{differences.Count} {unit}{(differences.Count == 1 ? " differs" : "s differ")}", differences, notes ?? []);
}

/// <summary>The outcome of one run.</summary>
internal sealed record ComparedRun(Run Run, IReadOnlyList<ComparedFile> Files)
{
    public const string Summary = "results.json";
    public const string Tensors = "adversarial.safetensors";
    public const string Table = "images.parquet";

    public bool Equal => Files.All(file => file.Equal);

    public static async Task<ComparedRun> Of(Run run, string old, string @new, CompareOptions options)
    {
        string[] failures = [.. Failure("old", old), .. Failure("new", @new)];
        if (failures.Length > 0)
        {
            return new(run, [new("the run", "failed", failures, [])]);
        }

        async Task<ComparedFile> Compare(string name, Func<string, string, Task<ComparedFile>> compare)
        {
            var (before, after) = (Path.Combine(old, name), Path.Combine(@new, name));
            return (File.Exists(before), File.Exists(after)) switch
            {
                (true, true) => await compare(before, after),
                (true, false) => new(name, "missing", ["only in old"], []),
                (false, true) => new(name, "missing", ["only in new"], []),
                _ => new(name, "missing", ["in neither"], []),
            };
        }

        return new(run,
        [
            await Compare(Summary, (before, after) => Task.FromResult(SummaryComparison.Compare(before, after, options))),
            await Compare(Tensors, (before, after) => Task.FromResult(TensorComparison.Compare(before, after))),
            await Compare(Table, (before, after) => TableComparison.CompareAsync(before, after, options)),
        ]);
    }

    private static IEnumerable<string> Failure(string side, string folder)
    {
        var code = Path.Combine(folder, "failed");
        if (!File.Exists(code))
        {
            yield break;
        }

        yield return $"{side}: exit code {File.ReadAllText(code).Trim()}";
        foreach (var line in File.ReadLines(Path.Combine(folder, "log.txt")).TakeLast(5))
        {
            yield return $"  {line}";
        }
    }
}

/// <summary>Compares two <c>results.json</c> key by key.</summary>
internal static class SummaryComparison
{
    private const string Warnings = "warnings";

    public static ComparedFile Compare(string old, string @new, CompareOptions options)
    {
        using var before = JsonDocument.Parse(File.ReadAllBytes(old));
        using var after = JsonDocument.Parse(File.ReadAllBytes(@new));
        var (differences, notes) = (new List<string>(), new List<string>());
        var (first, second) = (Flatten(before.RootElement), Flatten(after.RootElement));
        foreach (var key in first.Keys.Union(second.Keys, StringComparer.Ordinal).Where(key => !Ignored(key, options)))
        {
            if (!first.TryGetValue(key, out var left))
            {
                differences.Add($"{key}: only in new, {Text(second[key])}");
            }
            else if (!second.TryGetValue(key, out var right))
            {
                differences.Add($"{key}: only in old, {Text(left)}");
            }
            else if (!SameValue(left, right, options))
            {
                var reworded = key.StartsWith($"{Warnings}[", StringComparison.Ordinal) && !options.StrictWarnings;
                (reworded ? notes : differences).Add($"{key}: {Text(left)} → {Text(right)}{Relative(left, right)}");
            }
        }

        return ComparedFile.Of(ComparedRun.Summary, differences, "key", notes);
    }

    /// <summary>Determines whether a key, or an object or array around it, is left out.</summary>
    private static bool Ignored(string key, CompareOptions options) =>
        options.Ignored.Any(ignored => key.StartsWith(ignored, StringComparison.Ordinal) && (key.Length == ignored.Length || key[ignored.Length] is '.' or '['));

    /// <summary>Returns the values by path, such as <c>perturbation.l2.mean</c> or <c>options.mean[0]</c>. Empty objects and arrays are values.</summary>
    private static OrderedDictionary<string, JsonElement> Flatten(JsonElement root)
    {
        var values = new OrderedDictionary<string, JsonElement>(StringComparer.Ordinal);
        void Add(string path, JsonElement element)
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.Object when element.EnumerateObject().Any():
                    foreach (var property in element.EnumerateObject())
                    {
                        Add(path.Length == 0 ? property.Name : $"{path}.{property.Name}", property.Value);
                    }

                    break;
                case JsonValueKind.Array when element.GetArrayLength() > 0:
                    foreach (var (index, item) in element.EnumerateArray().Index())
                    {
                        Add($"{path}[{index}]", item);
                    }

                    break;
                default:
                    values[path] = element;
                    break;
            }
        }

        Add("", root);
        return values;
    }

    private static bool SameValue(JsonElement old, JsonElement @new, CompareOptions options) => (old.ValueKind, @new.ValueKind) switch
    {
        (JsonValueKind.String, JsonValueKind.String) => options.Rename(old.GetString()!) == @new.GetString(),
        (JsonValueKind.Number, JsonValueKind.Number) => old.GetDouble().Equals(@new.GetDouble()),
        var (left, right) => left == right && old.GetRawText() == @new.GetRawText(),
    };

    private static string Text(JsonElement value) => value.GetRawText();

    private static string Relative(JsonElement old, JsonElement @new) =>
        old.ValueKind == JsonValueKind.Number && @new.ValueKind == JsonValueKind.Number && old.GetDouble() is var left && left != 0
            ? $" (relative difference {Math.Abs(@new.GetDouble() - left) / Math.Abs(left):G2})"
            : "";
}

/// <summary>Compares two <c>adversarial.safetensors</c> tensor by tensor.</summary>
internal static class TensorComparison
{
    public static ComparedFile Compare(string old, string @new)
    {
        var (before, after) = (File.ReadAllBytes(old), File.ReadAllBytes(@new));
        return ComparedFile.Of(ComparedRun.Tensors, before.AsSpan().SequenceEqual(after) ? [] : Differences(before, after), "tensor");
    }

    private static IReadOnlyList<string> Differences(byte[] old, byte[] @new)
    {
        var (first, second) = (Read(old), Read(@new));
        var differences = new List<string>();
        foreach (var name in first.Keys.Union(second.Keys, StringComparer.Ordinal))
        {
            if (!first.TryGetValue(name, out var left))
            {
                differences.Add($"{name}: only in new, {second[name].Shape}");
            }
            else if (!second.TryGetValue(name, out var right))
            {
                differences.Add($"{name}: only in old, {left.Shape}");
            }
            else if (left.Shape != right.Shape)
            {
                differences.Add($"{name}: {left.Shape} → {right.Shape}");
            }
            else if (!left.Bytes.SequenceEqual(right.Bytes))
            {
                differences.Add($"{name}: {Difference(left, right)}");
            }
        }

        return differences.Count > 0 ? differences : ["the file: the same tensors, in another order or with other metadata"];
    }

    private static string Difference(StoredTensor old, StoredTensor @new)
    {
        var rows = Math.Max(1, old.Rows);
        var bytes = old.Bytes.Length / rows;
        var changed = Enumerable.Range(0, rows).Where(row => !old.Bytes.AsSpan(row * bytes, bytes).SequenceEqual(@new.Bytes.AsSpan(row * bytes, bytes))).ToArray();
        var text = $"{changed.Length} of {rows} images differ, the first in row {changed[0]}";
        return Values(old) is { } left && Values(@new) is { } right
            ? $"{text}; largest absolute difference {left.Zip(right, (a, b) => a.Equals(b) ? 0 : Math.Abs(a - b)).Aggregate(0.0, (most, next) => double.IsNaN(next) ? next : Math.Max(most, next)):G6}"
            : text;
    }

    /// <summary>Returns the elements as numbers; null for an element type that brink does not write.</summary>
    private static IEnumerable<double>? Values(StoredTensor tensor) => tensor.Type switch
    {
        "F32" => MemoryMarshal.Cast<byte, float>(tensor.Bytes).ToArray().Select(value => (double)value),
        "F64" => MemoryMarshal.Cast<byte, double>(tensor.Bytes).ToArray(),
        "I64" => MemoryMarshal.Cast<byte, long>(tensor.Bytes).ToArray().Select(value => (double)value),
        "U8" or "BOOL" => tensor.Bytes.Select(value => (double)value),
        _ => null,
    };

    private static OrderedDictionary<string, StoredTensor> Read(byte[] file)
    {
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        using var header = JsonDocument.Parse(file.AsMemory(8, length));
        var tensors = new OrderedDictionary<string, StoredTensor>(StringComparer.Ordinal);
        foreach (var entry in header.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__"))
        {
            var type = entry.Value.GetProperty("dtype").GetString()!;
            var sizes = entry.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32()).ToArray();
            var (start, end) = (entry.Value.GetProperty("data_offsets")[0].GetInt32(), entry.Value.GetProperty("data_offsets")[1].GetInt32());
            tensors[entry.Name] = new(type, $"{type} [{string.Join(", ", sizes)}]", sizes is [var rows, ..] ? rows : 1, file[(8 + length + start)..(8 + length + end)]);
        }

        return tensors;
    }

    private sealed record StoredTensor(string Type, string Shape, int Rows, byte[] Bytes);
}

/// <summary>Compares two <c>images.parquet</c> column by column.</summary>
internal static class TableComparison
{
    public static async Task<ComparedFile> CompareAsync(string old, string @new, CompareOptions options)
    {
        var differences = new List<string>();
        var notes = new List<string>();
        if (!File.ReadAllBytes(old).AsSpan().SequenceEqual(File.ReadAllBytes(@new)))
        {
            var (first, second) = (await ReadAsync(old), await ReadAsync(@new));
            var renamed = false;
            foreach (var name in first.Keys.Union(second.Keys, StringComparer.Ordinal))
            {
                if (!first.TryGetValue(name, out var left) || !second.TryGetValue(name, out var right))
                {
                    differences.Add($"{name}: only in {(second.ContainsKey(name) ? "new" : "old")}");
                }
                else if (left.Length != right.Length)
                {
                    differences.Add($"{name}: {left.Length} rows → {right.Length} rows");
                }
                else
                {
                    var mapped = left.Select(value => value is string text ? options.Rename(text) : value).ToArray();
                    renamed |= !mapped.SequenceEqual(left);
                    if (!mapped.SequenceEqual(right))
                    {
                        differences.Add($"{name}: {Difference(left, mapped, right)}");
                    }
                }
            }

            if (differences.Count == 0)
            {
                (renamed ? notes : differences).Add(renamed ? "equal after renaming" : "the file: the same values in all columns, in another encoding");
            }
        }

        return ComparedFile.Of(ComparedRun.Table, differences, "column", notes);
    }

    private static string Difference(object[] old, object[] mapped, object[] @new)
    {
        var rows = Enumerable.Range(0, old.Length).Where(row => !mapped[row].Equals(@new[row])).ToArray();
        var text = $"{rows.Length} of {old.Length} rows differ, the first is row {rows[0]}: {old[rows[0]]} → {@new[rows[0]]}";
        return old[rows[0]] is long or double
            ? $"{text}; largest absolute difference {rows.Max(row => Math.Abs(Convert.ToDouble(@new[row], CultureInfo.InvariantCulture) - Convert.ToDouble(old[row], CultureInfo.InvariantCulture))):G6}"
            : text;
    }

    private static async Task<OrderedDictionary<string, object[]>> ReadAsync(string path)
    {
        await using var stream = File.OpenRead(path);
        await using var reader = await ParquetReader.CreateAsync(stream);
        var columns = new OrderedDictionary<string, object[]>(StringComparer.Ordinal);
        foreach (var field in reader.Schema.GetDataFields())
        {
            var values = new List<object>();
            for (var i = 0; i < reader.RowGroupCount; i++)
            {
                using var group = reader.OpenRowGroupReader(i);
                var rows = (int)group.RowCount;
                async Task AddAsync<T>()
                    where T : struct
                {
                    var column = new T[rows];
                    await group.ReadAsync<T>(field, column);
                    values.AddRange(column.Cast<object>());
                }

                // Parquet.Net 6 calls text ReadOnlyMemory<char>.
                if (field.ClrType == typeof(string) || field.ClrType == typeof(ReadOnlyMemory<char>))
                {
                    var column = new string[rows];
                    await group.ReadAsync(field, column);
                    values.AddRange(column);
                }
                else
                {
                    await (field.ClrType == typeof(long) ? AddAsync<long>()
                        : field.ClrType == typeof(int) ? AddAsync<int>()
                        : field.ClrType == typeof(double) ? AddAsync<double>()
                        : field.ClrType == typeof(float) ? AddAsync<float>()
                        : field.ClrType == typeof(bool) ? AddAsync<bool>()
                        : throw new NotSupportedException($"{path} has a column {field.Name} of type {field.ClrType}; .ci/CompareResults.cs does not read that type yet."));
                }
            }

            columns[field.Name] = [.. values];
        }

        return columns;
    }
}

/// <summary>Prints the comparison.</summary>
internal static class Report
{
    /// <summary>The most differences printed of one file.</summary>
    private const int Most = 25;

    /// <summary>Prints a row for each run, then the differences, and returns the exit code.</summary>
    public static int Print(IReadOnlyList<ComparedRun> runs)
    {
        string[] columns = [ComparedRun.Summary, ComparedRun.Tensors, ComparedRun.Table];
        var width = runs.Max(run => run.Run.Name.Length);
        Console.WriteLine($"{"run".PadRight(width)}  {string.Join("  ", columns.Select(name => name.PadRight(23)))}".TrimEnd());
        foreach (var run in runs)
        {
            Console.WriteLine($"{run.Run.Name.PadRight(width)}  {string.Join("  ", run.Files.Select(file => file.Verdict.PadRight(23)))}".TrimEnd());
        }

        foreach (var run in runs.Where(run => !run.Equal || run.Files.Any(file => file.Notes.Count > 0)))
        {
            Console.WriteLine();
            Console.WriteLine($"{run.Run.Name}: brink attack {run.Run.Arguments}");
            foreach (var file in run.Files.Where(file => !file.Equal || file.Notes.Count > 0))
            {
                Console.WriteLine($"  {file.Name}");
                foreach (var line in file.Differences.Take(Most))
                {
                    Console.WriteLine($"    {line}");
                }

                if (file.Differences.Count > Most)
                {
                    Console.WriteLine($"    … and {file.Differences.Count - Most} more");
                }

                foreach (var note in file.Notes)
                {
                    Console.WriteLine($"    (not counted) {note}");
                }
            }
        }

        var different = runs.Count(run => !run.Equal);
        Console.WriteLine();
        Console.WriteLine(different == 0 ? $"Equal: all {runs.Count} runs." : $"Different: {different} of {runs.Count} runs.");
        return different == 0 ? 0 : 1;
    }
}
