namespace Brink.Cli.Tests;

/// <summary>What one call of the command line gave, in this process.</summary>
internal sealed record Invocation(int ExitCode, string Output, string Error)
{
    public static Invocation Of(params string[] arguments) => Of(CancellationToken.None, arguments);

    public static Invocation Of(CancellationToken cancellationToken, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        // On a machine that does other things too, two of torch's threads spend most of their time waiting for each other.
        string[] sparing = arguments is ["attack" or "compare" or "transfer" or "train", .. var flags] && !flags.Contains("--threads") ? [arguments[0], "--threads", "1", .. flags] : arguments;
        var exitCode = CommandLine.Run(sparing, output, error, cancellationToken);
        return new(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>Starts the command in a process of its own.</summary>
    public static TestProcess Start(params IEnumerable<string> arguments) => TestProcess.Start(Path.Combine(AppContext.BaseDirectory, "Brink.Cli"), arguments);

    /// <summary>Refused as bad input is: exit code 2, nothing on standard output, one sentence and no stack trace.</summary>
    public string AssertRefused()
    {
        Assert.True(ExitCode == 2, $"Exit code {ExitCode}: {Error}");
        Assert.Empty(Output);
        Assert.StartsWith("brink: ", Error, StringComparison.Ordinal);
        Assert.EndsWith(".", Error.TrimEnd(), StringComparison.Ordinal);
        Assert.Single(Error.TrimEnd('\r', '\n').Split('\n'));
        Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", Error, StringComparison.Ordinal);
        return Error;
    }

    public Invocation AssertDone()
    {
        Assert.True(ExitCode == 0, $"Exit code {ExitCode}: {Error}");
        return this;
    }
}
