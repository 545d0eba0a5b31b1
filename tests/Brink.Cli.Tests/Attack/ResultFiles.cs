using System.Text.Json;
using Brink.Models;
using Parquet;
using Parquet.Schema;
using TorchSharp;

namespace Brink.Cli.Tests.Attack;

/// <summary>The files of a run folder, read with other code than that of the command where possible.</summary>
internal sealed class ResultFiles : IDisposable
{
    private readonly torch.Tensor[] _owned;

    public ResultFiles(string folder, bool complete = true)
    {
        Assert.Equal(
            ["adversarial.safetensors", "images.parquet", .. complete ? Array.Empty<string>() : ["ranges"], "results.json", "run.json"],
            Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).Where(name => name != "report.html").Order(StringComparer.Ordinal),
            StringComparer.Ordinal);
        Json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "results.json")));
        Tensors = Safetensors.Read(Path.Combine(folder, "adversarial.safetensors"));
        _owned = [.. Tensors.Values];
        Columns = ReadTableAsync(Path.Combine(folder, "images.parquet")).GetAwaiter().GetResult();
    }

    public JsonDocument Json { get; }

    public IReadOnlyDictionary<string, torch.Tensor> Tensors { get; }

    /// <summary>The columns of the table: arrays of long, double, bool or string.</summary>
    public IReadOnlyDictionary<string, Array> Columns { get; }

    public JsonElement this[string name] => Json.RootElement.GetProperty(name);

    public int Int(string name) => this[name].GetInt32();

    public long[] Longs(string tensor) => Tensors[tensor].data<long>().ToArray();

    public T[] Column<T>(string name) => (T[])Columns[name];

    public void Dispose()
    {
        Json.Dispose();
        Array.ForEach(_owned, tensor => tensor.Dispose());
    }

    private static async Task<IReadOnlyDictionary<string, Array>> ReadTableAsync(string path)
    {
        await using var stream = File.OpenRead(path);
        await using var reader = await ParquetReader.CreateAsync(stream);
        Assert.Equal(1, reader.RowGroupCount);
        using var group = reader.OpenRowGroupReader(0);
        var columns = new OrderedDictionary<string, Array>(StringComparer.Ordinal);
        foreach (var field in reader.Schema.GetDataFields())
        {
            columns.Add(field.Name, await ReadColumnAsync(group, field));
        }

        return columns;
    }

    private static async Task<Array> ReadColumnAsync(ParquetRowGroupReader group, DataField field)
    {
        async Task<Array> Values<T>()
            where T : struct
        {
            var values = new T[group.RowCount];
            await group.ReadAsync<T>(field, values);
            return values;
        }

        if (field.ClrType == typeof(ReadOnlyMemory<char>))
        {
            var words = new string[group.RowCount];
            await group.ReadAsync(field, words);
            return words;
        }

        return field.ClrType == typeof(long) ? await Values<long>()
            : field.ClrType == typeof(double) ? await Values<double>()
            : await Values<bool>();
    }
}
