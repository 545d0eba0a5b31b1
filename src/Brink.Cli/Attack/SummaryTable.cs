using System.Globalization;
using Brink.Evaluation.Results;
using Brink.Cli.Report;
using Spectre.Console;

namespace Brink.Cli.Attack;

/// <summary>A run's numbers for people, within 80 columns.</summary>
internal static class SummaryTable
{
    private const int Width = 80;

    public static void Write(TextWriter output, AttackSummary summary, string? folder)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = Math.Min(console.Profile.Width, Width);

        var units = summary.Space == "pixel" ? "pixels in [0, 1]" : "normalised input";
        var norm = Norm.Parse(summary.Norm).DisplayName;
        var table = new Table().Border(TableBorder.Rounded).HideHeaders().AddColumns("", "");

        // Plain text, not markup: paths may hold brackets and :words:.
        void Row(string name, string value) => table.AddRow(new Text(name), new Text(value));

        Row("network, images", $"{summary.Model}, {summary.Data}");
        Row("attack", $"{summary.Attack}, {norm}, target {summary.Target}" + Method(summary));
        Row("images", $"{summary.Images}: {summary.Misclassified} wrong to begin with, {summary.Attacked} attacked" + (summary.Skipped > 0 ? $", {summary.Skipped} skipped" : ""));
        Row("fooled", $"{summary.Fooled} of {summary.Attacked}");
        Row("accuracy", $"{Percent(summary.AccuracyBefore)} before, {Percent(summary.AccuracyAfter)} after");
        Row("units", units);
        Row($"relative {norm}", Percents(summary.RelativePerturbation));
        if (summary.Space == "pixel")
        {
            Row("…in normalised units", Percents(summary.RelativePerturbationNormalized));
        }

        Row("L2 length", Lengths(summary.Perturbation.L2));
        Row("L∞ length", Lengths(summary.Perturbation.LInf));
        foreach (var (length, accuracy) in summary.RobustAccuracy)
        {
            Row(string.Create(CultureInfo.InvariantCulture, $"within {norm} {length}"), $"at most {Percent(accuracy)} right");
        }

        if (summary.Rounded is { } rounded)
        {
            Row("as 8-bit images", $"{rounded.StillFooled} of {rounded.Images} still fool");
        }

        Row("passes an image", string.Create(CultureInfo.InvariantCulture, $"{summary.ForwardsPerImage:F1} forward, {summary.BackwardsPerImage:F1} backward{(summary.ProductsPerImage > 0 ? FormattableString.Invariant($", {summary.ProductsPerImage:F1} Hessian products") : "")}"));
        Row("time", string.Create(CultureInfo.InvariantCulture, $"{summary.Seconds:F1} s, {summary.SecondsPerImage * 1000:F1} ms an image"));
        console.Write(table);
        foreach (var warning in summary.Warnings)
        {
            console.WriteLine($"Note: {warning}");
        }

        if (folder is not null)
        {
            // Not through the console, which would break a long path across lines.
            output.WriteLine($"Written to {folder}:{Environment.NewLine}results.json, images.parquet, adversarial.safetensors{(File.Exists(Path.Combine(folder, ReportFile.Name)) ? $", {ReportFile.Name}" : "")}");
        }
    }

    /// <summary>Which form of the trust-region attack it was: the preset, or that the walk along the boundary followed.</summary>
    private static string Method(AttackSummary summary) =>
        // As text: a summary that was read back holds JSON's numbers.
        summary.Options.TryGetValue("refine", out var refine) && $"{refine}" != "0" ? ", refined"
        : summary.Options.TryGetValue("preset", out var preset) ? $", {preset}"
        : "";

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:F2} %");

    private static string Percents(Distribution distribution) => distribution is { Mean: { } mean, Median: { } median, Worst: { } worst }
        ? string.Create(CultureInfo.InvariantCulture, $"mean {mean * 100:G3} %, median {median * 100:G3} %, worst {worst * 100:G3} %")
        : "none";

    private static string Lengths(Distribution distribution) => distribution is { Mean: { } mean, Median: { } median, Worst: { } worst }
        ? string.Create(CultureInfo.InvariantCulture, $"mean {mean:G3}, median {median:G3}, worst {worst:G3}")
        : "none";
}
