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

    private static readonly TimeSpan DecodingTime = TimeSpan.FromMinutes(1);

    /// <summary>Writes the table.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="images">The images.</param>
    public static void Write(Stream stream, IReadOnlyList<EvaluatedImage> images) => WriteAsync(stream, images).GetAwaiter().GetResult();

    /// <summary>Reads the table.</summary>
    /// <param name="stream">The stream.</param>
    /// <returns>The rows.</returns>
    /// <exception cref="InvalidDataException">The table is damaged or has other columns.</exception>
    public static IReadOnlyList<SavedImage> Read(Stream stream)
    {
        try
        {
            // A damaged file of an older version, which has no checksum, could be decoded without end.
            return Task.Run(() => ReadAsync(stream)).WaitAsync(DecodingTime).GetAwaiter().GetResult();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // For a damaged file the Parquet library throws exceptions of many types.
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
        // Tables of older versions lack the column.
        var underflowed = fields.ContainsKey("underflowed") ? await Column<bool>("underflowed") : new bool[group.RowCount];
        var (iterations, forwards, backwards, products) = (await Column<long>("iterations"), await Column<long>("forwards"), await Column<long>("backwards"), await Column<long>("products"));
        return [.. exits.Select((exit, row) => new SavedImage(index[row], label[row], before[row], after[row], fooled[row], Exits[exit], l2[row], linf[row], relative[row], iterations[row], forwards[row] + backwards[row], products[row], underflowed[row]))];
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

/// <summary>One row of <c>images.parquet</c>: the result for one image.</summary>
/// <param name="Index">The index of the image in the data set.</param>
/// <param name="Label">The label.</param>
/// <param name="PredictionBefore">The prediction before the attack, or −1 if there was none.</param>
/// <param name="PredictionAfter">The prediction for the image that the attack returned.</param>
/// <param name="Fooled">A value that indicates whether the image was fooled, confirmed by a fresh forward pass.</param>
/// <param name="Exit">The exit reason.</param>
/// <param name="L2">The length ‖x′ − x‖₂, in the space of the attack.</param>
/// <param name="LInf">The length ‖x′ − x‖_∞, in the space of the attack.</param>
/// <param name="Relative">The relative perturbation ‖x′ − x‖_p / ‖x‖_p, in the norm and the space of the attack.</param>
/// <param name="Iterations">The number of iterations.</param>
/// <param name="Passes">The number of forward and backward passes.</param>
/// <param name="Products">The number of Hessian-vector products.</param>
/// <param name="Underflowed">A value that indicates whether the cross-entropy underflowed and the logit gap replaced it.</param>
internal sealed record SavedImage(long Index, long Label, long PredictionBefore, long PredictionAfter, bool Fooled, AttackExit Exit, double L2, double LInf, double Relative, long Iterations, long Passes, long Products, bool Underflowed)
{
    /// <summary>Indicates whether the image was attacked: it was classified correctly, and its label is not the target class.</summary>
    public bool Attacked => Exit is not (AttackExit.Misclassified or AttackExit.Skipped);

    /// <summary>Returns the length of the perturbation in a norm.</summary>
    /// <param name="norm">The norm: <c>l2</c> or <c>linf</c>.</param>
    public double Length(string norm) => norm == "linf" ? LInf : L2;
}
