using System.Diagnostics;
using System.Globalization;
using Brink.Training;
using Spectre.Console;

namespace Brink.Cli.Train;

/// <summary>Shows the progress of a training run on the error stream: a progress bar on a terminal, otherwise a line every 30 seconds and after each epoch.</summary>
internal static class TrainDisplay
{
    // Often enough to see that the training makes progress, without filling a log.
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(30);

    /// <summary>Runs the training and shows its progress.</summary>
    /// <param name="error">The writer for the progress.</param>
    /// <param name="silent">Whether to show nothing.</param>
    /// <param name="run">The training run, which takes the receiver of the progress.</param>
    /// <returns>The results of all epochs.</returns>
    public static IReadOnlyList<EpochRecord> Run(TextWriter error, bool silent, Func<IProgress<TrainingProgress>?, IReadOnlyList<EpochRecord>> run)
    {
        if (silent)
        {
            return run(null);
        }

        return error == Console.Error && !Console.IsErrorRedirected ? RunWithBar(error, run) : run(new Lines(error));
    }

    private static IReadOnlyList<EpochRecord> RunWithBar(TextWriter error, Func<IProgress<TrainingProgress>?, IReadOnlyList<EpochRecord>> run)
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
                // A line above the bar, which remains after the run.
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
                // A full disk of the log must not end hours of training.
            }

            _last = Stopwatch.GetTimestamp();
        }
    }
}
