using Brink.Cli.Terminal;
using Brink.Data;
using Spectre.Console;

namespace Brink.Cli.Data;

/// <summary>Displays the progress of a download on the error stream: a bar on a terminal, otherwise a line every few seconds.</summary>
internal static class DownloadDisplay
{
    private const double BytesPerMegabyte = 1e6;

    /// <summary>Runs a download and displays its progress.</summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <param name="error">The error stream.</param>
    /// <param name="silent">Whether to display nothing.</param>
    /// <param name="run">The download.</param>
    public static T Run<T>(TextWriter error, bool silent, Func<IProgress<DownloadProgress>?, T> run)
    {
        if (silent)
        {
            return run(null);
        }

        if (error != Console.Error || Console.IsErrorRedirected)
        {
            return run(new ProgressLines<DownloadProgress>(error, Text));
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        return console.Progress()
            .AutoClear(enabled: true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .Start(context => run(new Bar(context.AddTask("downloading"))));
    }

    private static string Text(DownloadProgress progress) => progress.Total is { } total
        ? FormattableString.Invariant($"{progress.Received / BytesPerMegabyte:F1} of {total / BytesPerMegabyte:F1} MB")
        : FormattableString.Invariant($"{progress.Received / BytesPerMegabyte:F1} MB");

    private sealed class Bar(ProgressTask task) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value)
        {
            task.IsIndeterminate = value.Total is null;
            task.MaxValue = value.Total ?? Math.Max(value.Received, 1);
            task.Value = value.Received;
        }
    }
}
