namespace Brink.Cli.Terminal;

/// <summary>The exit codes of <c>brink</c>, which scripts and build pipelines read (docs/build-pipelines.md).</summary>
internal static class ExitCode
{
    /// <summary>Success; every threshold of <c>--require</c> was met.</summary>
    public const int Done = 0;

    /// <summary>An unexpected failure: out of memory, or an error in Brink.</summary>
    public const int UnexpectedFailure = 1;

    /// <summary>Invalid usage or input, or output that could not be written.</summary>
    public const int BadInput = 2;

    /// <summary>A threshold of <c>--require</c> was not met; the results were written.</summary>
    public const int ThresholdNotMet = 3;

    /// <summary>Cancelled; finished results are saved. 128 plus the number of SIGINT, the convention of shells.</summary>
    public const int Cancelled = 130;
}
