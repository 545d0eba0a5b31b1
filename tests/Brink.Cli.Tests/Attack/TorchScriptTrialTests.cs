using System.Diagnostics;
using System.Text.Json;

namespace Brink.Cli.Tests.Attack;

/// <summary>TorchScript files that would end the command, and the trial of files in another process.</summary>
public sealed class TorchScriptTrialTests : IDisposable
{
    private const int Features = 3 * 32 * 32;

    private const string EndlessLoop = "n = 1\nwhile bool(n > 0):\n  n = 1 if n > 100 else n + 1\nreturn z";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Code_that_libtorch_does_not_know_is_refused_by_the_name_of_the_operator() =>
        Assert.Contains("aten::mean_of_later", Refused(Write("Tensor", "return torch.mean_of_later(z)")), StringComparison.Ordinal);

    [Fact]
    public void The_message_of_the_network_is_shown() =>
        Assert.Contains("(the batch must be larger)", Refused(Write("Tensor", "ops.prim.RaiseException(\"AssertionError: the batch must be larger\")\nreturn z")), StringComparison.Ordinal);

    [Theory]
    [InlineData(EndlessLoop)]
    [InlineData("n = 1\nif len(self.kept) > 1:\n  while bool(n > 0):\n    n = 1 if n > 100 else n + 1\nself.kept = torch.cat([self.kept, self.kept])\nreturn z")]
    [InlineData("k = torch.neg(z)\nwhile bool(torch.gt(torch.max(torch.abs(k)), -1.)):\n  print(\"a line\")\nreturn z")]
    public void An_endless_loop_is_refused_within_the_time_of_the_trial(string code)
    {
        var start = Stopwatch.GetTimestamp();
        Assert.Contains("within 2 seconds", Refused(Write("Tensor", code), "--trial-seconds", "2"), StringComparison.Ordinal);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20));
    }

    [Fact]
    public void Too_much_memory_is_refused() =>
        Assert.Contains("600 MB of memory", Refused(Write("Tensor", "parts = annotate(List[Tensor], [])\nfor i in range(4000):\n  parts.append(torch.mul(torch.ones([4096, 4096]), i))\nreturn torch.add(z, torch.max(parts[0]))"), "--trial-memory", "600M", "--trial-seconds", "60"), StringComparison.Ordinal);

    [Fact]
    public void Memory_that_grows_with_each_pass_is_refused() =>
        Assert.Contains("after each image", Refused(Write("Tensor", "self.kept = torch.cat([self.kept, torch.ones([8388608])])\nreturn z")), StringComparison.Ordinal);

    [Fact]
    public void A_division_that_ends_the_process_is_refused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only there the processor signals this division.");
        var code = "low = torch.full([1], -9223372036854775807, dtype=4)\nlow = torch.sub(low, 1)\nd = torch.div(low, -1, rounding_mode=\"trunc\")\nreturn torch.add(z, torch.sum(d))";
        Assert.Contains("exit code 136", Refused(Write("Tensor", code)), StringComparison.Ordinal);
    }

    /// <summary>oneDNN, which libtorch uses for several images, reads this stride as zero.</summary>
    [Fact]
    public void A_gradient_of_two_images_that_ends_the_process_is_refused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only there the processor signals this division.");
        var code = "c = torch.conv2d(x, torch.ones([2, 3, 3, 3]), None, [4294967296, 2], [1, 1], [1, 1])\nreturn torch.add(z, torch.sum(c))";
        Assert.Contains("exit code 136", Refused(Write("Tensor", code)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_without_derivative_is_refused() =>
        Assert.Contains("nextafter", Refused(Write("Tensor", "return torch.nextafter(z, torch.add(z, 1))")), StringComparison.Ordinal);

    [Fact]
    public void The_trial_finds_the_outputs_and_is_left_out_for_a_trusted_file()
    {
        var path = Write("Dict[str, Tensor]", "print(\"brink-trial:{}\")\nreturn {\"main\": z, \"other\": torch.neg(z)}");
        Assert.Contains("choose one by --output", Refused(path), StringComparison.Ordinal);

        // A trial of no seconds is an error, unless there is none.
        string[] flags = ["--output", "main", "--trial-seconds", "0"];
        Assert.Contains("--trust-model", Refused(path, flags), StringComparison.Ordinal);
        Attack(path, [.. flags, "--trust-model", "--out", _folder["trusted"]]).AssertDone();
        Attack(path, ["--output", "main", "--out", _folder["tried"]]).AssertDone();
        using var trusted = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder["trusted"], "results.json")));
        using var tried = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder["tried"], "results.json")));
        Assert.Equal("main", tried.RootElement.GetProperty("options").GetProperty("output").GetString());
        Assert.Equal(Warnings(trusted), Warnings(tried), StringComparer.Ordinal);

        static string[] Warnings(JsonDocument results) => [.. results.RootElement.GetProperty("warnings").EnumerateArray().Select(warning => warning.GetString()!)];
    }

    [Theory]
    [InlineData("--trial-memory", "much")]
    [InlineData("--trial-memory", "-1G")]
    [InlineData("--trial-memory", "6")]
    [InlineData("--trial-seconds", "-1")]
    public void Invalid_limits_are_refused(string flag, string value) =>
        Assert.Contains(value, Refused(Write("Tensor", "return z"), flag, value), StringComparison.Ordinal);

    [Fact]
    public void Adversarial_images_are_evaluated_on_a_TorchScript_file()
    {
        Invocation.Of("attack", "--data", "signs", "--limit", "8", "--quiet", "--out", _folder["run"]).AssertDone();
        var path = Write("Tuple[Tensor, Tensor]", "return (z, torch.mean(x, [2, 3]))");
        using var matrix = JsonDocument.Parse(Invocation.Of("transfer", _folder["run"], "--model", $"mine={path}", "--mean", "0.5", "--std", "0.5", "--json").AssertDone().Output);
        Assert.Equal("mine", matrix.RootElement.GetProperty("models")[0].GetProperty("name").GetString());
        Assert.Contains(matrix.RootElement.GetProperty("warnings").EnumerateArray(), warning => warning.GetString()!.Contains("returns 2 tensors", StringComparison.Ordinal));
        Assert.Contains("--mean", Invocation.Of("transfer", _folder["run"], "--model", "signs", "--mean", "0.5", "--std", "0.5").AssertRefused(), StringComparison.Ordinal);
        Assert.Contains("loop", Invocation.Of("transfer", _folder["run"], "--model", $"mine={Write("Tensor", EndlessLoop)}", "--trial-seconds", "2").AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_output_of_a_network_of_the_list_is_refused() =>
        Assert.Contains("--output", Refused("signs", "--output", "main"), StringComparison.Ordinal);

    [Fact]
    public void The_verb_of_the_trial_is_hidden() =>
        Assert.DoesNotContain("try-model", Invocation.Of("--help").AssertDone().Output, StringComparison.Ordinal);

    private static Invocation Attack(string path, params string[] flags) => Invocation.Of(["attack", "--data", "signs", "--limit", "4", "--model", path, "--iterations", "1", "--quiet", .. flags]);

    private static string Refused(string path, params string[] flags) => Attack(path, flags).AssertRefused();

    private string Write(string type, string code) => TorchScriptFile.Write(_folder[$"{Guid.NewGuid():N}.pt"], Features, type, code);
}
