using System.Globalization;
using Brink.Evaluation.Runs;

namespace Brink.Cli.Terminal;

/// <summary>How far a run is, in a line, the same in every culture.</summary>
internal static class ProgressText
{
    /// <summary>80: what fits the narrowest terminal.</summary>
    public const int Columns = 80;

    /// <summary>Images done, fooled, mean perturbation, images a second, time left; what cannot be known yet is left out.</summary>
    /// <param name="progress">How far it is.</param>
    /// <param name="elapsed">Since this start.</param>
    /// <param name="name">What the run is called where there are several; shortened where there is no room.</param>
    /// <param name="columns">How long the line may be.</param>
    public static string Of(EvaluationProgress progress, TimeSpan elapsed, string? name = null, int columns = Columns)
    {
        var parts = new List<string> { string.Create(CultureInfo.InvariantCulture, $"{progress.Finished} of {progress.Images} images") };
        if (progress.Evaluated > 0)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{progress.Fooled} fooled"));
        }

        if (!double.IsNaN(progress.MeanRelative))
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"mean {progress.MeanRelative * 100:F2} %"));
        }

        // What an earlier start finished took none of this one's time.
        var done = progress.Finished - progress.Kept;
        if (done > 0 && elapsed > TimeSpan.Zero)
        {
            var rate = done / elapsed.TotalSeconds;
            var left = TimeSpan.FromSeconds(Math.Ceiling((progress.Images - progress.Finished) / rate));
            var speed = string.Create(CultureInfo.InvariantCulture, $"{rate:G3}/s");
            var minutes = left.ToString(left.TotalHours < 1 ? @"m\:ss" : @"mm\:ss", CultureInfo.InvariantCulture);
            var rest = left.TotalHours < 1 ? $"{minutes} left" : string.Create(CultureInfo.InvariantCulture, $"{(int)left.TotalHours}:{minutes} left");
            // A name needs three columns at least: "…: ".
            if (string.Join(", ", [.. parts, speed, rest]).Length + (name is null ? 0 : 3) <= columns)
            {
                parts.Add(speed);
            }

            parts.Add(rest);
        }

        var line = string.Join(", ", parts);
        return name is null ? line : $"{Shortened(name, columns - line.Length - 2)}: {line}";
    }

    private static string Shortened(string name, int columns) => name.Length <= columns ? name : columns > 1 ? $"{name[..(columns - 1)]}…" : "…";
}
