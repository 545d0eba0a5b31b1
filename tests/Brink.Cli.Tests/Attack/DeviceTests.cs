using System.Text.Json;

namespace Brink.Cli.Tests.Attack;

[Trait(TestDevices.Trait, TestDevices.Any)]
public sealed class DeviceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("cpu", "cpu")]
    [InlineData("cuda", "cuda")]
    [InlineData("cuda", "cuda:0")]
    [InlineData("cuda", "cuda", "--tf32")]
    public void An_attack_on_a_device_fools_the_images_and_states_its_precision(string needed, string device, params string[] flags)
    {
        TestDevices.Require(needed);
        Invocation.Of(["attack", "--limit", "16", "--quiet", "--device", device, "--out", _folder["run"], .. flags]).AssertDone();
        using var results = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder["run"], "results.json")));
        var options = results.RootElement.GetProperty("options");
        Assert.Equal(needed, options.GetProperty("device").GetString());
        Assert.Equal(needed == "cuda", options.TryGetProperty("tf32", out var precision));
        Assert.True(needed == "cpu" || precision.GetBoolean() == flags.Contains("--tf32"));
        Assert.InRange(results.RootElement.GetProperty("fooled").GetInt32(), 1, 16);

        // The adversarial images fool the model on the CPU, which has no TF32.
        using var transfer = JsonDocument.Parse(Invocation.Of("transfer", _folder["run"], "--model", "signs", "--json").AssertDone().Output);
        var counts = transfer.RootElement.GetProperty("counts")[0][0];
        Assert.Equal(results.RootElement.GetProperty("fooled").GetInt32(), counts.GetProperty("fooled").GetInt32());
    }

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cuda:x")]
    [InlineData("cuda:99999999999")]
    public void A_device_that_does_not_exist_is_refused(string device) =>
        Assert.Contains("The device must be cpu, cuda, or cuda: and the number of a GPU", Invocation.Of("attack", "--device", device).AssertRefused(), StringComparison.Ordinal);
}
