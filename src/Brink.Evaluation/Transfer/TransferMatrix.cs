using System.Text.Json;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;

namespace Brink.Evaluation.Transfer;

/// <summary>Runs against networks: how many images that were made for one fool another. What <c>brink transfer --json</c> prints, property by property.</summary>
public sealed record TransferMatrix
{
    /// <summary>The rows: where the adversarial images come from.</summary>
    public required IReadOnlyList<TransferSource> Runs { get; init; }

    /// <summary>The columns: the networks that saw them.</summary>
    public required IReadOnlyList<TransferTarget> Models { get; init; }

    /// <summary>The counts, [run][model].</summary>
    public required IReadOnlyList<IReadOnlyList<TransferCount>> Counts { get; init; }

    /// <summary>The version of Brink.</summary>
    public string BrinkVersion { get; } = AttackSummary.Version;

    /// <summary>What a reader of these numbers must know.</summary>
    public IReadOnlyList<string> Warnings => [.. Warn()];

    /// <summary>The matrix as JSON.</summary>
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
                // Of images that one network gets right, another network made for them gets most right, too.
                if (count.RightBefore * 2 < count.FooledAtSource)
                {
                    yield return $"{model.Name} gets only {count.RightBefore} of the {count.FooledAtSource} images of {run.Folder} right before the attack; check that it was made for them.";
                }
            }
        }
    }
}
