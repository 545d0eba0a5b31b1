using System.Text.Json;

namespace Brink.Cli.Tests.Attack;

/// <summary>A TorchScript file as <c>--model</c>.</summary>
public sealed class TorchScriptInputTests
{
    private static string Script => Path.Combine(AppContext.BaseDirectory, "Fixtures", "torchscript_classifier.pt");

    [Fact]
    [Trait("speed", "slow")]
    public void It_is_attacked_like_any_other_and_a_missing_preprocessing_is_mentioned()
    {
        using var results = Run("--model", Script, "--data", "signs", "--limit", "40");
        Assert.Equal("torchscript_classifier.pt", results.RootElement.GetProperty("model").GetString());
        Assert.Equal(Script, results.RootElement.GetProperty("options").GetProperty("weights").GetString());
        Assert.Equal(40, results.RootElement.GetProperty("images").GetInt32());
        Assert.Single(results.RootElement.GetProperty("warnings").EnumerateArray(), warning => warning.GetString()!.Contains("as they are", StringComparison.Ordinal));
    }

    [Fact]
    public void Its_preprocessing_is_that_of_the_flags()
    {
        using var results = Run("--model", Script, "--data", "signs", "--limit", "8", "--mean", "0,0,0", "--std", "1,1,1");
        Assert.DoesNotContain(results.RootElement.GetProperty("warnings").EnumerateArray(), warning => warning.GetString()!.Contains("as they are", StringComparison.Ordinal));
        Assert.Equal([0.0, 0, 0], results.RootElement.GetProperty("options").GetProperty("mean").EnumerateArray().Select(value => value.GetDouble()));
    }

    [Fact]
    public void It_is_resumed_only_with_the_same_weights()
    {
        using var folder = new TemporaryFolder();
        string[] flags = ["attack", "--data", "signs", "--limit", "4", "--out", folder["run"], "--quiet"];
        Invocation.Of([.. flags, "--model", Script]).AssertDone();
        Invocation.Of([.. flags, "--model", Script, "--resume"]).AssertDone();
        Assert.Contains("model", Invocation.Of([.. flags, "--model", "signs", "--resume"]).AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_a_model_file_is_refused_in_a_sentence()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("does not exist", Refused("--model", folder["absent.pt"]), StringComparison.Ordinal);
        Assert.Contains("text", Refused("--model", folder.Write("model.pt", "import torch"u8.ToArray())), StringComparison.Ordinal);
        Assert.Contains("holds its own weights", Refused("--model", Script, "--weights", Script), StringComparison.Ordinal);
        Assert.Contains("There is no model named 'resnet19'", Refused("--model", "resnet19"), StringComparison.Ordinal);
    }

    private static string Refused(params string[] arguments) => Invocation.Of(["attack", "--data", "signs", "--limit", "4", .. arguments]).AssertRefused();

    private static JsonDocument Run(params string[] arguments) => JsonDocument.Parse(Invocation.Of(["attack", .. arguments, "--json", "--quiet"]).AssertDone().Output);
}
