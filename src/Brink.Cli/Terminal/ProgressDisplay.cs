using System.Diagnostics;
using System.Globalization;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Spectre.Console;

namespace Brink.Cli.Terminal;

/// <summary>Displays the progress of a run: a bar on a terminal, otherwise a line every few seconds. The progress goes to the error stream, so that standard output contains results only.</summary>
internal static class ProgressDisplay
{
    private const int BarColumns = 10;

    /// <summary>Runs an attack over a data set and displays its progress.</summary>
    /// <param name="error">The error stream.</param>
    /// <param name="silent">Whether to display nothing.</param>
    /// <param name="run">The run.</param>
    /// <param name="name">The name of the run, if there are several.</param>
    public static EvaluationResult Run(TextWriter error, bool silent, Func<IProgress<EvaluationProgress>?, EvaluationResult> run, string? name = null)
    {
        if (silent)
        {
            return run(null);
        }

        if (error == Console.Error && !Console.IsErrorRedirected)
        {
            return RunWithBar(error, run, name);
        }

        var stopwatch = Stopwatch.StartNew();
        return run(new ProgressLines<EvaluationProgress>(error, progress => ProgressText.Of(progress, stopwatch.Elapsed, name)));
    }

    private static EvaluationResult RunWithBar(TextWriter error, Func<IProgress<EvaluationProgress>?, EvaluationResult> run, string? name)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        return console.Progress()
            .AutoClear(enabled: true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = BarColumns })
            .Start(context =>
            {
                var task = context.AddTask("attacking");
                return run(new Bar(task, name));
            });
    }

    private sealed class Bar(ProgressTask task, string? name) : IProgress<EvaluationProgress>
    {
        private readonly Stopwatch _stopwatch = Stopwatch.StartNew();

        public void Report(EvaluationProgress value)
        {
            task.MaxValue = value.Images;
            task.Value = value.Finished;
            task.Description = Markup.Escape(ProgressText.Of(value, _stopwatch.Elapsed, name, Screen.Columns - BarColumns - 2));
        }
    }
}

/// <summary>Progress as lines of text, at most one every five seconds, so that a log stays short.</summary>
/// <typeparam name="T">The type of the reports.</typeparam>
/// <param name="error">The error stream.</param>
/// <param name="format">The text of a report.</param>
internal sealed class ProgressLines<T>(TextWriter error, Func<T, string> format) : IProgress<T>
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private Stopwatch? _sinceLast;

    public void Report(T value)
    {
        if (_sinceLast?.Elapsed < Interval)
        {
            return;
        }

        try
        {
            error.WriteLine(format(value));
        }
        catch (IOException)
        {
            // A full disk under the log must not end hours of work.
        }

        _sinceLast = Stopwatch.StartNew();
    }
}

/// <summary>The progress of a run as one line of text, independent of the culture.</summary>
internal static class ProgressText
{
    /// <summary>Formats the number of finished and fooled images, the mean perturbation, the rate and the remaining time. Values that are not known yet are left out.</summary>
    /// <param name="progress">The progress.</param>
    /// <param name="elapsed">The time since this start of the run.</param>
    /// <param name="name">The name of the run, if there are several; shortened if the line would be too long.</param>
    /// <param name="columns">The largest length of the line.</param>
    public static string Of(EvaluationProgress progress, TimeSpan elapsed, string? name = null, int columns = Screen.Columns)
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

        // Images that an earlier start finished took none of the elapsed time.
        var done = progress.Finished - progress.Restored;
        if (done > 0 && elapsed > TimeSpan.Zero)
        {
            var rate = done / elapsed.TotalSeconds;
            var left = TimeSpan.FromSeconds(Math.Ceiling((progress.Images - progress.Finished) / rate));
            var speed = string.Create(CultureInfo.InvariantCulture, $"{rate:G3}/s");
            var minutes = left.ToString(left.TotalHours < 1 ? @"m\:ss" : @"mm\:ss", CultureInfo.InvariantCulture);
            var rest = left.TotalHours < 1 ? $"{minutes} left" : string.Create(CultureInfo.InvariantCulture, $"{(int)left.TotalHours}:{minutes} left");
            // A shortened name needs at least three columns: "…: ".
            if (string.Join(", ", [.. parts, speed, rest]).Length + (name is null ? 0 : 3) <= columns)
            {
                parts.Add(speed);
            }

            parts.Add(rest);
        }

        var line = string.Join(", ", parts);
        return name is null ? line : $"{Shorten(name, columns - line.Length - 2)}: {line}";
    }

    private static string Shorten(string name, int columns) => name.Length <= columns ? name : columns > 1 ? $"{name[..(columns - 1)]}…" : "…";
}
