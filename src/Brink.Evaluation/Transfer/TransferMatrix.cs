using System.Text.Json;
using System.Text.Json.Serialization;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;

namespace Brink.Evaluation.Transfer;

/// <summary>The transfer counts of runs and models. The properties are those that <c>brink transfer --json</c> prints.</summary>
internal sealed record TransferMatrix
{
    /// <summary>The rows: the runs whose adversarial images are evaluated.</summary>
    public required IReadOnlyList<TransferSource> Runs { get; init; }

    /// <summary>The columns: the models on which they are evaluated.</summary>
    public required IReadOnlyList<TransferTarget> Models { get; init; }

    /// <summary>The counts, indexed by run and model.</summary>
    public required IReadOnlyList<IReadOnlyList<TransferCount>> Counts { get; init; }

    /// <summary>The version of Brink.</summary>
    public string BrinkVersion { get; } = AttackSummary.Version;

    /// <summary>The warnings about the models, which are a part of <see cref="Warnings"/>.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> ModelWarnings { get; init; } = [];

    /// <summary>The warnings that a reader of the numbers needs.</summary>
    public IReadOnlyList<string> Warnings => [.. ModelWarnings, .. Warn()];

    /// <summary>Serialises the matrix as JSON.</summary>
    /// <returns>The JSON text.</returns>
    public string ToJson() => JsonSerializer.Serialize(this, ResultFolder.JsonOptions);

    private IEnumerable<string> Warn()
    {
        foreach (var (run, counts) in Runs.Zip(Counts))
        {
            if (run.Fooled == 0)
            {
                yield return $"No image of {run.Folder} was fooled, so there is nothing to transfer.";
            }

            foreach (var (model, count) in Models.Zip(counts))
            {
                // A model that was trained for the same classes classifies most of these images correctly, since the model of the run did.
                if (count.RightBefore * 2 < count.FooledAtSource)
                {
                    yield return $"{model.Name} classifies only {count.RightBefore} of the {count.FooledAtSource} images of {run.Folder} correctly before the attack; check that it was trained for these images.";
                }
            }
        }
    }
}

/// <summary>A row of the matrix: a run.</summary>
/// <param name="Folder">The folder of the run.</param>
/// <param name="Model">The name of the attacked model.</param>
/// <param name="Attack">The name of the attack.</param>
/// <param name="Norm">The norm of the attack: <c>l2</c>, <c>linf</c> or <c>l1</c>.</param>
/// <param name="Target">The target: <c>untargeted</c>, <c>best</c>, <c>hardest</c> or the number of a class.</param>
/// <param name="Data">The name of the data set.</param>
/// <param name="Images">The number of images.</param>
/// <param name="Fooled">The number of fooled images.</param>
internal sealed record TransferSource(string Folder, string Model, string Attack, string Norm, string Target, string Data, int Images, int Fooled)
{
    /// <summary>Creates the row of a run.</summary>
    /// <param name="run">The run.</param>
    /// <returns>The row.</returns>
    public static TransferSource Of(SavedRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var summary = run.Summary;
        return new(run.Folder, summary.Model, summary.Attack, summary.Norm, summary.Target, summary.Data, run.Labels.Count, run.Fooled.Count(fooled => fooled));
    }
}

/// <summary>A column of the matrix: a model.</summary>
/// <param name="Name">The name of the model, with its weights if another model of the matrix has that name.</param>
/// <param name="Weights">The file of the weights, or <c>embedded</c> for embedded weights.</param>
internal sealed record TransferTarget(string Name, string Weights);
