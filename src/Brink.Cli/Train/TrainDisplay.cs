using System.Diagnostics;
using System.Globalization;
using Brink.Training;
using Spectre.Console;

namespace Brink.Cli.Train;

/// <summary>Shows how far a training is: a bar on a terminal, a line now and then and after each epoch where the output goes elsewhere. Always on the error stream.</summary>
internal static class TrainDisplay
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(30);

    public static TrainingState Run(TextWriter error, bool silent, Func<IProgress<TrainingProgress>?, TrainingState> run)
    {
        if (silent)
        {
            return run(null);
        }

        return error == Console.Error && !Console.IsErrorRedirected ? RunWithBar(error, run) : run(new Lines(error));
    }

    private static TrainingState RunWithBar(TextWriter error, Func<IProgress<TrainingProgress>?, TrainingState> run)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        return console.Progress()
            .AutoClear(enabled: true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context => run(new Bar(context.AddTask("training"), console)));
    }

    private static string Describe(TrainingProgress progress) => progress.Finished is { } epoch
        ? string.Create(CultureInfo.InvariantCulture, $"epoch {epoch.Epoch} of {progress.Epochs}: loss {epoch.Loss:F4}, accuracy {epoch.TrainAccuracy:P2}{Measured("held out", epoch.HeldOutAccuracy)}{Measured("test", epoch.TestAccuracy)}, {epoch.Seconds:F0} s, waiting for data {epoch.Waiting:P1}")
        : string.Create(CultureInfo.InvariantCulture, $"epoch {progress.Epoch} of {progress.Epochs}, batch {progress.Batch} of {progress.Batches}: loss {progress.Loss:F4}, accuracy {progress.Accuracy:P2}");

    private static string Measured(string name, double? accuracy) => accuracy is null ? "" : string.Create(CultureInfo.InvariantCulture, $", {name} {accuracy:P2}");

    private sealed class Bar(ProgressTask task, IAnsiConsole console) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            task.MaxValue = value.Epochs;
            task.Value = value.Epoch - 1 + (value.Batch / (double)value.Batches);
            if (value.Finished is null)
            {
                task.Description = Markup.Escape(Describe(value));
            }
            else
            {
                // Above the bar, and it stays.
                console.WriteLine(Describe(value));
            }
        }
    }

    private sealed class Lines(TextWriter error) : IProgress<TrainingProgress>
    {
        private long _last = Stopwatch.GetTimestamp();

        public void Report(TrainingProgress value)
        {
            if (value.Finished is null && Stopwatch.GetElapsedTime(_last) < BetweenLines)
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

            _last = Stopwatch.GetTimestamp();
        }
    }
}
