using System.Text.Json;
using Brink.Attacks;
using Brink.Evaluation.Results;
using Parquet;
using Parquet.Schema;

namespace Brink.Evaluation.Runs;

/// <summary>The table <c>images.parquet</c>: a row an image, in data-set order.</summary>
public static class ImageTable
{
    /// <summary>Writes the table.</summary>
    public static void Write(Stream stream, IReadOnlyList<EvaluatedImage> images) => WriteAsync(stream, images).GetAwaiter().GetResult();

    /// <summary>Reads the table.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or not such a table.</exception>
    public static IReadOnlyList<SavedImage> Read(Stream stream)
    {
        try
        {
            return ReadAsync(stream).GetAwaiter().GetResult();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // A damaged file makes the library throw whatever its parts throw.
            throw new InvalidDataException(exception.Message, exception);
        }
    }

    private static async Task<IReadOnlyList<SavedImage>> ReadAsync(Stream stream)
    {
        await using var reader = await ParquetReader.CreateAsync(stream);
        var fields = reader.Schema.GetDataFields().ToDictionary(field => field.Name, StringComparer.Ordinal);
        using var group = reader.OpenRowGroupReader(0);
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
        var (iterations, forwards, backwards, products) = (await Column<long>("iterations"), await Column<long>("forwards"), await Column<long>("backwards"), await Column<long>("products"));
        return [.. exits.Select((exit, row) => new SavedImage(index[row], label[row], before[row], after[row], fooled[row], exit, l2[row], linf[row], relative[row], iterations[row], forwards[row] + backwards[row], products[row]))];
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
            Words("exit", image => Name(image.Outcome.Exit)),
            Values("l2", image => image.Outcome.L2),
            Values("linf", image => image.Outcome.LInf),
            Values("relative", image => image.Outcome.Relative),
            Numbers("iterations", image => image.Outcome.Iterations),
            Numbers("forwards", image => image.Outcome.Forwards),
            Numbers("backwards", image => image.Outcome.Backwards),
            Numbers("products", image => image.Outcome.Products),
        };
        await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(columns.Select(column => column.Field).ToArray<Field>()), stream);
        using var group = writer.CreateRowGroup();
        foreach (var column in columns)
        {
            await column.WriteAsync(group, images);
        }
    }

    /// <summary>An ending as the table writes it: <c>iteration-limit</c>.</summary>
    private static string Name(AttackExit exit) => JsonNamingPolicy.KebabCaseLower.ConvertName(exit.ToString());

    private static Column Numbers(string name, Func<EvaluatedImage, long> value) => Values(name, value);

    private static Column Values<T>(string name, Func<EvaluatedImage, T> value)
        where T : struct
    {
        var field = new DataField<T>(name);
        return new(field, (group, images) => group.WriteAsync<T>(field, images.Select(value).ToArray()));
    }

    private static Column Words(string name, Func<EvaluatedImage, string> value)
    {
        var field = new DataField<string>(name, nullable: false);
        return new(field, (group, images) => group.WriteAsync(field, images.Select(value).ToArray()));
    }

    private sealed record Column(DataField Field, Func<ParquetRowGroupWriter, IReadOnlyList<EvaluatedImage>, Task> WriteAsync);
}
