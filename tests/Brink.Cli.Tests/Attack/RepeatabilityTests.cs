using System.Globalization;
using System.Text.RegularExpressions;

namespace Brink.Cli.Tests.Attack;

[Trait("speed", "slow")]
public sealed class RepeatabilityTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("1", "20", "adaptive")]
    [InlineData("2", "8", "0.5")] // a large radius for few steps, because two threads are slow on a busy machine
    public void Equal_options_give_equal_files_except_for_the_times(string threads, string limit, string radius)
    {
        foreach (var folder in new[] { "one", "two" })
        {
            Invocation.Of("attack", "--limit", limit, "--batch-size", "8", "--threads", threads, "--radius", radius, "--quiet", "--out", _folder[folder]).AssertDone();
        }

        Assert.DoesNotContain("\"fooled\": 0,", File.ReadAllText(Path.Combine(_folder["one"], "results.json")), StringComparison.Ordinal);
        foreach (var name in new[] { "adversarial.safetensors", "images.parquet" })
        {
            Assert.True(Bytes("one", name).AsSpan().SequenceEqual(Bytes("two", name)), name);
        }

        Assert.Equal(WithoutTimes(File.ReadAllText(Path.Combine(_folder["one"], "results.json"))), WithoutTimes(File.ReadAllText(Path.Combine(_folder["two"], "results.json"))));
    }

    [Theory]
    [InlineData("de-DE")]
    [InlineData("tr-TR")]
    [InlineData("fa-IR")]
    public void The_output_does_not_depend_on_the_culture(string culture)
    {
        string[] json = ["attack", "--limit", "3", "--radius", "0.05", "--mean", "0.4,0.4,0.4", "--std", "0.2,0.2,0.2", "--attack", "tr[overshoot=0.03]", "--json", "--quiet"];
        string[] table = ["attack", "--limit", "3", "--target", "3", "--quiet"];
        var expected = (Json: Invocation.Of(json).AssertDone().Output, Table: Invocation.Of(table).AssertDone());
        var error = Invocation.Of("attack", "--radius", "0,05").AssertRefused();

        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
            Assert.Equal(WithoutTimes(expected.Json), WithoutTimes(Invocation.Of(json).AssertDone().Output));
            var localTable = Invocation.Of(table).AssertDone();
            Assert.Equal(WithoutTimes(expected.Table.Output), WithoutTimes(localTable.Output));
            Assert.Equal(error, Invocation.Of("attack", "--radius", "0,05").AssertRefused());
            Assert.Contains("but -1 was given", Invocation.Of("attack", "--limit", "-1").AssertRefused(), StringComparison.Ordinal);
            Assert.Contains("but -1 was given", Invocation.Of("attack", "--target", "-1", "--limit", "1").AssertRefused(), StringComparison.Ordinal);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private byte[] Bytes(string folder, string name) => File.ReadAllBytes(Path.Combine(_folder[folder], name));

    /// <summary>Removes <c>seconds</c> and <c>secondsPerImage</c>, or the row of the time from the table.</summary>
    private static string WithoutTimes(string output)
    {
        var kept = Regex.Replace(output, """^.*("seconds"|"secondsPerImage"|│ time ).*$""", "", RegexOptions.Multiline | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
        Assert.True(output.Length > kept.Length, "The output contains no times.");
        return kept;
    }
}
