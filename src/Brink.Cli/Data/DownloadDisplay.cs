using System.Diagnostics;
using Brink.Data;
using Spectre.Console;

namespace Brink.Cli.Data;

/// <summary>Shows how far a download is: a bar on a terminal, a line now and then where the output goes elsewhere. Always on the error stream.</summary>
internal static class DownloadDisplay
{
    private const double BytesPerMegabyte = 1e6;
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(5);

    /// <param name="error">Where to show it.</param>
    /// <param name="silent">Whether to show nothing.</param>
    /// <param name="run">The download.</param>
    public static T Run<T>(TextWriter error, bool silent, Func<IProgress<DownloadProgress>?, T> run)
    {
        if (silent)
        {
            return run(null);
        }

        if (error != Console.Error || Console.IsErrorRedirected)
        {
            return run(new Lines(error));
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        return console.Progress()
            .AutoClear(enabled: true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .Start(context => run(new Bar(context.AddTask("fetching"))));
    }

    private sealed class Bar(ProgressTask task) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value)
        {
            task.IsIndeterminate = value.Total is null;
            task.MaxValue = value.Total ?? Math.Max(value.Received, 1);
            task.Value = value.Received;
        }
    }

    private sealed class Lines(TextWriter error) : IProgress<DownloadProgress>
    {
        private Stopwatch? _sinceLast;

        public void Report(DownloadProgress value)
        {
            if (_sinceLast?.Elapsed < BetweenLines)
            {
                return;
            }

            try
            {
                error.WriteLine(value.Total is { } total
                    ? FormattableString.Invariant($"{value.Received / BytesPerMegabyte:F1} of {total / BytesPerMegabyte:F1} MB")
                    : FormattableString.Invariant($"{value.Received / BytesPerMegabyte:F1} MB"));
            }
            catch (IOException)
            {
                // A download is not to end because the log's disk is full.
            }

            _sinceLast = Stopwatch.StartNew();
        }
    }
}
