using System.Text;

// The tests change the culture and torch's threads, and run attacks: one at a time.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Brink.Cli.Tests;

/// <summary>The exit code and the output of one call of the command line in this process.</summary>
internal sealed record Invocation(int ExitCode, string Output, string Error)
{
    public static Invocation Of(params string[] arguments) => Of(CancellationToken.None, arguments);

    public static Invocation Of(CancellationToken cancellationToken, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        // One thread: on a busy machine two threads of torch spend most of their time waiting for each other.
        string[] limited = arguments is ["attack" or "compare" or "transfer" or "train", .. var flags] && !flags.Contains("--threads") ? [arguments[0], "--threads", "1", .. flags] : arguments;
        var exitCode = CommandLine.Run(limited, output, error, cancellationToken);
        return new(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>Starts the command in a separate process.</summary>
    public static TestProcess Start(params IEnumerable<string> arguments) => TestProcess.Start(Path.Combine(AppContext.BaseDirectory, "Brink.Cli"), arguments);

    /// <summary>Asserts that the input was refused: exit code 2, empty standard output, and one sentence without a stack trace.</summary>
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

    /// <summary>Asserts success.</summary>
    public Invocation AssertDone()
    {
        Assert.True(ExitCode == 0, $"Exit code {ExitCode}: {Error}");
        return this;
    }
}

/// <summary>A stream that is redirected to a file on a full disk.</summary>
internal sealed class FullWriter : TextWriter
{
    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value) => throw new IOException("No space left on device");
}
