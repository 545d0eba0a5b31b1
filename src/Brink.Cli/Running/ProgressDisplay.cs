using System.Diagnostics;
using System.Globalization;
using Brink.Evaluation.Results;
using Brink.Evaluation.Running;
using Spectre.Console;

namespace Brink.Cli.Running;

/// <summary>Shows how far a run is: a bar on a terminal, a line at the start and now and then where the output goes elsewhere. Always on the error stream, so that standard output holds results alone.</summary>
internal static class ProgressDisplay
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(5);

    public static EvaluationResult Run(TextWriter error, bool silent, Func<IProgress<EvaluationProgress>?, EvaluationResult> run)
    {
        if (silent)
        {
            return run(null);
        }

        return error == Console.Error && !Console.IsErrorRedirected ? RunWithBar(error, run) : run(new Lines(error));
    }

    private static EvaluationResult RunWithBar(TextWriter error, Func<IProgress<EvaluationProgress>?, EvaluationResult> run)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        return console.Progress()
            .AutoClear(enabled: true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                var task = context.AddTask("attacking");
                return run(new Bar(task));
            });
    }

    private static string Describe(EvaluationProgress progress)
    {
        var mean = double.IsNaN(progress.MeanRelative) ? "" : string.Create(CultureInfo.InvariantCulture, $", mean perturbation {progress.MeanRelative:P2}");
        return $"{progress.Finished} of {progress.Images} images{mean}";
    }

    private sealed class Bar(ProgressTask task) : IProgress<EvaluationProgress>
    {
        public void Report(EvaluationProgress value)
        {
            task.MaxValue = value.Images;
            task.Value = value.Finished;
            task.Description = Markup.Escape(Describe(value));
        }
    }

    private sealed class Lines(TextWriter error) : IProgress<EvaluationProgress>
    {
        private Stopwatch? _sinceLast;

        public void Report(EvaluationProgress value)
        {
            if (_sinceLast?.Elapsed < BetweenLines)
            {
                return;
            }

            try
            {
                error.WriteLine(Describe(value));
            }
            catch (IOException)
            {
                // Hours of work are not to end because the log's disk is full.
            }

            _sinceLast = Stopwatch.StartNew();
        }
    }
}
