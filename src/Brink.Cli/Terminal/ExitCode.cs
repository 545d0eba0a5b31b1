namespace Brink.Cli.Terminal;

/// <summary>What the command tells the shell. Scripts read these numbers.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    public const int UnexpectedFailure = 1;

    public const int BadInput = 2;

    /// <summary>A bar that the user set with --require.</summary>
    public const int RequirementNotMet = 3;

    public const int Cancelled = 130;
}
