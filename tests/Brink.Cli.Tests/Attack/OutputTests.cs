using System.Text.Json;

namespace Brink.Cli.Tests.Attack;

public sealed class OutputTests : IDisposable
{
    private const int Columns = 80;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void With_json_standard_output_contains_only_JSON()
    {
        var run = Invocation.Of("attack", "--limit", "3", "--json").AssertDone();
        using var document = JsonDocument.Parse(run.Output);
        Assert.Equal(3, document.RootElement.GetProperty("images").GetInt32());
    }

    [Fact]
    public void Quiet_leaves_the_error_stream_empty() => Assert.Empty(Invocation.Of("attack", "--limit", "3", "--quiet").AssertDone().Error);

    [Fact]
    public void Without_a_terminal_progress_is_printed_as_plain_lines()
    {
        var error = Invocation.Of("attack", "--limit", "3").AssertDone().Error;
        Assert.Matches(@"^[0-3] of 3 images(, [^\n]*)?\r?\n", error);
        Assert.DoesNotContain('\u001b', error);
    }

    [Fact]
    public void A_full_error_stream_does_not_end_the_run()
    {
        using var output = new StringWriter();
        Assert.Equal(0, CommandLine.Run(["attack", "--limit", "3", "--threads", "1"], output, new FullWriter(), CancellationToken.None));
        Assert.Contains("fooled", output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [Trait("speed", "slow")]
    [InlineData]
    [InlineData("--norm", "linf", "--space", "normalized", "--target", "hardest")]
    [InlineData("--iterations", "1", "--target", "3", "--preset", "authors")]
    public void The_summary_fits_in_80_columns(params string[] flags)
    {
        var run = Invocation.Of(["attack", "--limit", "12", "--quiet", .. flags]).AssertDone();
        Assert.All(run.Output.Split('\n'), line => Assert.InRange(line.TrimEnd('\r').Length, 0, Columns));
        Assert.Contains("of 1", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_name_of_the_folder_is_printed_unbroken_and_without_markup()
    {
        var folder = _folder[$"[red]:cat:{new string('x', 100)}"];
        var run = Invocation.Of("attack", "--limit", "2", "--quiet", "--out", folder).AssertDone();
        Assert.Contains(folder, run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_name_of_the_data_is_printed_without_markup()
    {
        var file = _folder.Write("[red]:cat:.bin", new byte[3073]);
        var run = Invocation.Of("attack", "--model", "signs", "--data", $"cifar10:{file}", "--quiet").AssertDone();
        Assert.Contains("[red]:cat:.bin", string.Concat(run.Output.Where(letter => letter is not ('│' or '\r' or '\n' or ' '))), StringComparison.Ordinal);
        Assert.Contains("No image was attacked", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void If_the_folder_is_lost_during_the_run_the_results_are_printed()
    {
        var folder = _folder["results"];
        using var output = new StringWriter();
        using var error = new Sabotage(() =>
        {
            Directory.Delete(folder, recursive: true);
            File.WriteAllText(folder, "");
        });
        Assert.Equal(2, CommandLine.Run(["attack", "--limit", "3", "--threads", "1", "--json", "--out", folder], output, error, CancellationToken.None));
        using var document = JsonDocument.Parse(output.ToString());
        Assert.Equal(3, document.RootElement.GetProperty("images").GetInt32());
        Assert.Matches(@"\nbrink: The file .*adversarial\.safetensors could not be written \(.*\); free space or choose another folder\.\r?\n$", error.ToString());
    }

    /// <summary>An error stream that runs an action at the first progress line, in the middle of the run.</summary>
    private sealed class Sabotage(Action act) : StringWriter
    {
        private Action? _act = act;

        public override void WriteLine(string? value)
        {
            _act?.Invoke();
            _act = null;
            base.WriteLine(value);
        }
    }
}
