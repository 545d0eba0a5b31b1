using System.Text.Json;

namespace Brink.Cli.Tests.Attack;

public sealed class DeepFoolTests
{
    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    public void Every_image_is_fooled_and_the_options_are_stored(string norm)
    {
        using var results = JsonDocument.Parse(Invocation.Of("attack", "--attack", "deepfool[overshoot=0.03]", "--norm", norm, "--limit", "8", "--json", "--quiet").AssertDone().Output);
        var root = results.RootElement;
        Assert.Equal("deepfool", root.GetProperty("attack").GetString());
        Assert.Equal(norm, root.GetProperty("norm").GetString());
        Assert.Equal(0.03, root.GetProperty("options").GetProperty("overshoot").GetDouble());
        Assert.True(root.GetProperty("attacked").GetInt32() > 0);
        Assert.Equal(root.GetProperty("attacked").GetInt32(), root.GetProperty("fooled").GetInt32());
    }

    [Theory]
    [InlineData("--radius", "0.05")]
    [InlineData("--preset", "authors")]
    [InlineData("--objective", "cross-entropy")]
    public void A_setting_of_another_attack_is_refused(string flag, string value) =>
        Assert.Contains($"deepfool has no option '{flag[2..]}'", Invocation.Of("attack", "--attack", "deepfool", flag, value, "--limit", "2").AssertRefused(), StringComparison.Ordinal);

    [Fact]
    public void The_summary_names_attack_norm_and_target() =>
        Assert.Contains("deepfool, L2, target best", Invocation.Of("attack", "--attack", "deepfool", "--limit", "4", "--quiet").AssertDone().Output, StringComparison.Ordinal);
}
