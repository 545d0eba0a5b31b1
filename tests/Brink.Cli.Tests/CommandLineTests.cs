namespace Brink.Cli.Tests;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("A command is needed: attack, compare, transfer, report, picture, reproduce, train, attacks, models, data or doctor; see brink --help.")]
    [InlineData("There is no command 'atack'; choose attack, compare, transfer, report, picture, reproduce, train, attacks, models, data or doctor, or see brink --help.", "atack", "--limit", "8")]
    [InlineData("brink has no flag or argument '--limit'; see brink --help.", "--limit", "8")]
    [InlineData("brink attack has no flag or argument '--epsilom'; see brink attack --help.", "attack", "--epsilom", "0.1")]
    [InlineData("brink attack has no flag or argument 'signs'; see brink attack --help.", "attack", "signs")]
    [InlineData("brink doctor has no flag or argument '--limit'; see brink doctor --help.", "doctor", "--limit", "8")]
    [InlineData("brink data fetch has no flag or argument '--limit'; see brink data fetch --help.", "data", "fetch", "cifar10", "--limit", "8")]
    [InlineData("Required argument missing for option: '--limit'. See brink attack --help.", "attack", "--limit")]
    [InlineData("Option '--limit' expects a single argument but 2 were provided. See brink attack --help.", "attack", "--limit", "1", "--limit", "2")]
    public void Usage_errors_name_the_argument_and_the_help(string sentence, params string[] arguments) =>
        Assert.Equal($"brink: {sentence}", Invocation.Of(arguments).AssertRefused().TrimEnd());

    [Fact]
    public void Control_characters_are_replaced_in_messages()
    {
        var error = Invocation.Of("attack", "--norm", "a\nb\u001b[31m\u0007").AssertRefused();
        Assert.Contains("'a?b?[31m?'", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_very_long_argument_is_shortened_in_the_middle()
    {
        var error = Invocation.Of("attack", "--radius", new string('x', 100_000)).AssertRefused();
        Assert.InRange(error.Length, 100, 1100);
        Assert.Contains("xx … xx", error, StringComparison.Ordinal);
        Assert.EndsWith("was given.", error.TrimEnd(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("brink [command] [options]", "--help")]
    [InlineData("brink attack [options]", "attack", "--help")]
    [InlineData("brink doctor [options]", "doctor", "-h")]
    public void The_help_names_the_command_brink(string usage, params string[] arguments)
    {
        var help = Invocation.Of(arguments).AssertDone();
        Assert.Contains(usage, help.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Brink.Cli", help.Output, StringComparison.Ordinal);
        Assert.Empty(help.Error);
    }

    [Fact]
    public void The_version_equals_that_in_results_json() =>
        Assert.Equal(Evaluation.Results.AttackSummary.Version, Invocation.Of("--version").AssertDone().Output.Trim());

    [Fact]
    public void A_full_standard_output_is_reported()
    {
        using var error = new StringWriter();
        Assert.Equal(2, CommandLine.Run(["doctor"], new FullWriter(), error, CancellationToken.None));
        Assert.Equal("brink: The output could not be written (No space left on device); check where it is redirected to.", error.ToString().TrimEnd());
    }

    [Fact]
    public void A_full_error_stream_does_not_change_the_exit_code() =>
        Assert.Equal(2, CommandLine.Run(["attack", "--limit", "0"], TextWriter.Null, new FullWriter(), CancellationToken.None));
}
