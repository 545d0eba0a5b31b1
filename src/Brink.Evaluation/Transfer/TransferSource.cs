using Brink.Evaluation.Runs;

namespace Brink.Evaluation.Transfer;

/// <summary>A row of the matrix: a run.</summary>
/// <param name="Folder">Its folder.</param>
/// <param name="Model">The network that was attacked.</param>
/// <param name="Attack">The attack.</param>
/// <param name="Norm"><c>l2</c> or <c>linf</c>.</param>
/// <param name="Target"><c>best</c>, <c>hardest</c>, <c>any</c> or the number of a class. Whatever it is, another network counts as fooled when it answers anything but the label.</param>
/// <param name="Data">The data set.</param>
/// <param name="Images">Images attempted.</param>
/// <param name="Fooled">Images fooled.</param>
public sealed record TransferSource(string Folder, string Model, string Attack, string Norm, string Target, string Data, int Images, int Fooled)
{
    /// <summary>Of a run.</summary>
    public static TransferSource Of(SavedRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var summary = run.Summary;
        return new(run.Folder, summary.Model, summary.Attack, summary.Norm, summary.Target, summary.Data, run.Labels.Count, run.Fooled.Count(fooled => fooled));
    }
}
