using System.Text.Json;

namespace Brink.Cli.Tests.Attack;

public sealed class OutputTests : IDisposable
{
    private const int Columns = 80;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Json_is_all_there_is_on_standard_output()
    {
        var run = Invocation.Of("attack", "--limit", "3", "--json").AssertDone();
        using var document = JsonDocument.Parse(run.Output);
        Assert.Equal(3, document.RootElement.GetProperty("images").GetInt32());
    }

    [Fact]
    public void Quiet_leaves_the_error_stream_empty() => Assert.Empty(Invocation.Of("attack", "--limit", "3", "--quiet").AssertDone().Error);

    [Fact]
    public void Progress_is_plain_lines_where_there_is_no_terminal()
    {
        var error = Invocation.Of("attack", "--limit", "3").AssertDone().Error;
        Assert.Matches(@"^[0-3] of 3 images(, [^\n]*)?\r?\n", error);
        Assert.DoesNotContain('\u001b', error);
    }

    [Fact]
    public void An_error_stream_that_fills_up_does_not_end_the_run()
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
    public void The_summary_fits_the_terminal(params string[] flags)
    {
        var run = Invocation.Of(["attack", "--limit", "12", "--quiet", .. flags]).AssertDone();
        Assert.All(run.Output.Split('\n'), line => Assert.InRange(line.TrimEnd('\r').Length, 0, Columns));
        Assert.Contains("of 1", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_folder_is_named_unbroken_and_brackets_and_colons_are_text()
    {
        var folder = _folder[$"[red]:cat:{new string('x', 100)}"];
        var run = Invocation.Of("attack", "--limit", "2", "--quiet", "--out", folder).AssertDone();
        Assert.Contains(folder, run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Brackets_and_colons_in_the_name_of_the_data_are_text()
    {
        var file = _folder.Write("[red]:cat:.bin", new byte[3073]);
        var run = Invocation.Of("attack", "--model", "signs", "--data", $"cifar10:{file}", "--quiet").AssertDone();
        Assert.Contains("[red]:cat:.bin", string.Concat(run.Output.Where(letter => letter is not ('│' or '\r' or '\n' or ' '))), StringComparison.Ordinal);
        Assert.Contains("No image was attacked", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_lost_during_the_run_does_not_take_the_figures_with_it()
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

    /// <summary>An error stream that does something the first time a progress line comes, in the middle of the run.</summary>
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
