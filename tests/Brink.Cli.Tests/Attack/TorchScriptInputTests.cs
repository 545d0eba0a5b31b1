using System.Text.Json;

namespace Brink.Cli.Tests.Attack;

/// <summary>A TorchScript file as <c>--model</c>.</summary>
public sealed class TorchScriptInputTests
{
    private static string Script => Path.Combine(AppContext.BaseDirectory, "Fixtures", "torchscript_classifier.pt");

    [Fact]
    [Trait("speed", "slow")]
    public void A_TorchScript_file_is_attacked_and_a_missing_preprocessing_is_noted()
    {
        using var results = Run("--model", Script, "--data", "signs", "--limit", "40");
        Assert.Equal("torchscript_classifier.pt", results.RootElement.GetProperty("model").GetString());
        Assert.Equal(Script, results.RootElement.GetProperty("options").GetProperty("weights").GetString());
        Assert.Equal(40, results.RootElement.GetProperty("images").GetInt32());
        Assert.Single(results.RootElement.GetProperty("warnings").EnumerateArray(), warning => warning.GetString()!.Contains("without normalisation", StringComparison.Ordinal));
    }

    [Fact]
    public void The_flags_set_the_preprocessing()
    {
        using var results = Run("--model", Script, "--data", "signs", "--limit", "8", "--mean", "0,0,0", "--std", "1,1,1");
        Assert.DoesNotContain(results.RootElement.GetProperty("warnings").EnumerateArray(), warning => warning.GetString()!.Contains("without normalisation", StringComparison.Ordinal));
        Assert.Equal([0.0, 0, 0], results.RootElement.GetProperty("options").GetProperty("mean").EnumerateArray().Select(value => value.GetDouble()));
    }

    [Theory]
    [InlineData("125.3,123,113.9", "51.6,50.8,51.3", true)]
    [InlineData("0,0,0", "2,2,2", true)]
    [InlineData("125.3/255,123/255,113.9/255", "51.6/255,50.8/255,51.3/255", false)]
    public void Constants_of_grey_levels_as_preprocessing_are_noted(string mean, string deviation, bool noted)
    {
        using var results = Run("--model", Script, "--data", "signs", "--limit", "2", "--mean", mean, "--std", deviation);
        Assert.Equal(noted, results.RootElement.GetProperty("warnings").EnumerateArray().Any(warning => warning.GetString()!.Contains("pixels from 0 to 1", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_run_is_resumed_only_with_the_same_model()
    {
        using var folder = new TemporaryFolder();
        string[] flags = ["attack", "--data", "signs", "--limit", "4", "--out", folder["run"], "--quiet"];
        Invocation.Of([.. flags, "--model", Script]).AssertDone();
        Invocation.Of([.. flags, "--model", Script, "--resume"]).AssertDone();
        Assert.Contains("model", Invocation.Of([.. flags, "--model", "signs", "--resume"]).AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Invalid_model_files_are_refused()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("does not exist", Refused("--model", folder["absent.pt"]), StringComparison.Ordinal);
        Assert.Contains("text", Refused("--model", folder.Write("model.pt", "import torch"u8.ToArray())), StringComparison.Ordinal);
        Assert.Contains("contains its weights", Refused("--model", Script, "--weights", Script), StringComparison.Ordinal);
        Assert.Contains("There is no model named 'resnet19'", Refused("--model", "resnet19"), StringComparison.Ordinal);
    }

    private static string Refused(params string[] arguments) => Invocation.Of(["attack", "--data", "signs", "--limit", "4", .. arguments]).AssertRefused();

    private static JsonDocument Run(params string[] arguments) => JsonDocument.Parse(Invocation.Of(["attack", .. arguments, "--json", "--quiet"]).AssertDone().Output);
}
