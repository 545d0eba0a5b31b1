using System.Diagnostics;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Spectre.Console;

namespace Brink.Cli.Terminal;

/// <summary>Shows how far a run is: a bar on a terminal, a line at the start and now and then where the output goes elsewhere. Always on the error stream, so that standard output holds results alone.</summary>
internal static class ProgressDisplay
{
    private const int BarColumns = 10;

    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(5);

    /// <param name="error">Where to show it.</param>
    /// <param name="silent">Whether to show nothing.</param>
    /// <param name="run">The run.</param>
    /// <param name="name">What the run is called where there are several.</param>
    public static EvaluationResult Run(TextWriter error, bool silent, Func<IProgress<EvaluationProgress>?, EvaluationResult> run, string? name = null)
    {
        if (silent)
        {
            return run(null);
        }

        return error == Console.Error && !Console.IsErrorRedirected ? RunWithBar(error, run, name) : run(new Lines(error, name));
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
            task.Description = Markup.Escape(ProgressText.Of(value, _stopwatch.Elapsed, name, ProgressText.Columns - BarColumns - 2));
        }
    }

    private sealed class Lines(TextWriter error, string? name) : IProgress<EvaluationProgress>
    {
        private readonly Stopwatch _stopwatch = Stopwatch.StartNew();
        private Stopwatch? _sinceLast;

        public void Report(EvaluationProgress value)
        {
            if (_sinceLast?.Elapsed < BetweenLines)
            {
                return;
            }

            try
            {
                error.WriteLine(ProgressText.Of(value, _stopwatch.Elapsed, name));
            }
            catch (IOException)
            {
                // Hours of work are not to end because the log's disk is full.
            }

            _sinceLast = Stopwatch.StartNew();
        }
    }
}
