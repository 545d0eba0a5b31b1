using System.Globalization;
using Brink.Cli.Inputs;
using Brink.Cli.Report;
using Brink.Cli.Terminal;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Spectre.Console;

namespace Brink.Cli.Attack;

/// <summary>The results of a run as a table of at most 80 columns.</summary>
internal static class SummaryTable
{
    /// <summary>Prints the table, the warnings and the names of the written files.</summary>
    /// <param name="output">The standard output.</param>
    /// <param name="summary">The results.</param>
    /// <param name="folder">The folder that the results were written to, if any.</param>
    public static void Write(TextWriter output, AttackSummary summary, string? folder)
    {
        var console = Screen.Create(output);
        var norm = Norm.Parse(summary.Norm).DisplayName;
        var table = new Table().Border(TableBorder.Rounded).HideHeaders().AddColumns("", "");

        // Text is not parsed as markup: paths may contain brackets and :words:.
        void Row(string name, string value) => table.AddRow(new Text(name), new Text(Excerpt.Line(value)));

        Row("model, images", $"{summary.Model}, {summary.Data}");
        Row("attack", $"{summary.Attack}, {norm}, {Target(summary)}{Variant(summary)}");
        Row("images", $"{summary.Images}: {summary.Misclassified} misclassified, {summary.Attacked} attacked" + (summary.Skipped > 0 ? $", {summary.Skipped} skipped" : ""));
        Row("fooled", $"{summary.Fooled} of {summary.Attacked}");
        if (summary.Unattacked.Total > 0)
        {
            Row("unattacked", $"{summary.Unattacked.Total} of {summary.Attacked}: {summary.Unattacked.Counts}");
        }

        if (summary.Underflowed > 0)
        {
            Row("logit gap used", $"{summary.Underflowed} of {summary.Attacked}, after underflow of the cross-entropy");
        }

        Row("accuracy before", AccuracyText.Of(summary.AccuracyBeforeInterval));
        Row("accuracy after", AccuracyText.Of(summary.AccuracyAfterInterval));
        Row("units", InputSpaces.Units(summary.Space));
        if (summary.Describe().Epsilon is { } epsilon)
        {
            Row("epsilon", string.Create(CultureInfo.InvariantCulture, $"{epsilon:G4}: lengths are up to it, not the smallest"));
        }

        Row($"relative {norm}", Percents(summary.RelativePerturbation));
        if (summary.Space == InputSpaces.Pixel)
        {
            Row("  in normalised units", Percents(summary.RelativePerturbationNormalized));
        }

        Row("L2 length", Lengths(summary.Perturbation.L2));
        Row("L∞ length", Lengths(summary.Perturbation.LInf));
        if (summary is { Norm: "l1", Perturbation.L1: { } lengths })
        {
            Row("L1 length", Lengths(lengths));
        }

        foreach (var entry in summary.RobustAccuracy)
        {
            Row(AccuracyText.Within(norm, entry.Epsilon), AccuracyText.Of(AccuracyInterval.Of(entry.Accuracy, summary.Images), isBound: true));
        }

        if (summary.Rounded is { } rounded)
        {
            Row("as 8-bit images", $"{rounded.StillFooled} of {rounded.Images} still fool");
        }

        Row("passes per image", string.Create(CultureInfo.InvariantCulture, $"{summary.ForwardsPerImage:F1} forward, {summary.BackwardsPerImage:F1} backward{(summary.ProductsPerImage > 0 ? FormattableString.Invariant($", {summary.ProductsPerImage:F1} Hessian products") : "")}"));
        Row("time", string.Create(CultureInfo.InvariantCulture, $"{summary.Seconds:F1} s, {summary.SecondsPerImage * 1000:F1} ms per image"));
        console.Write(table);
        Screen.WriteWarnings(console, summary.Warnings);
        if (folder is not null)
        {
            // Written directly, because the console would break a long path across lines.
            output.WriteLine($"Written to {folder}:{Environment.NewLine}results.json, images.parquet, adversarial.safetensors{(File.Exists(Path.Combine(folder, ReportFile.Name)) ? $", {ReportFile.Name}" : "")}");
        }
    }

    private static string Target(AttackSummary summary) =>
        (summary.Target == "untargeted" ? summary.Target : $"target {summary.Target}") + (Goal.Confidence(summary.Options) is > 0 and var confidence ? string.Create(CultureInfo.InvariantCulture, $", confidence {confidence}") : "");

    /// <summary>Returns the variant of the trust-region attack: refined by the boundary walk, or the preset.</summary>
    private static string Variant(AttackSummary summary) =>
        // Compared as text, because a summary that was read from a file contains JSON elements.
        summary.Options.TryGetValue("refine", out var refine) && $"{refine}" != "0" ? ", refined"
        : summary.Options.TryGetValue("preset", out var preset) ? $", {preset}"
        : "";

    private static string Percents(Distribution distribution) => distribution is { Mean: { } mean, Median: { } median, Worst: { } worst }
        ? string.Create(CultureInfo.InvariantCulture, $"mean {mean * 100:G3} %, median {median * 100:G3} %, worst {worst * 100:G3} %")
        : "none";

    private static string Lengths(Distribution distribution) => distribution is { Mean: { } mean, Median: { } median, Worst: { } worst }
        ? string.Create(CultureInfo.InvariantCulture, $"mean {mean:G3}, median {median:G3}, worst {worst:G3}")
        : "none";
}
