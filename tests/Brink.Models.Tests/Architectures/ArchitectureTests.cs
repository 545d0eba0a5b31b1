using System.Text.Json;
using Brink.Models.Tests.Golden;
using static TorchSharp.torch;

namespace Brink.Models.Tests.Architectures;

/// <summary>Compares every network of the catalogue with torchvision's, or with the public PyTorch program whose checkpoints it reads: Golden/generate.py.</summary>
public sealed class ArchitectureTests
{
    /// <summary>The environment variable with the folder of generate.py's checkpoints.</summary>
    private const string CheckpointsVariable = "BRINK_CHECKPOINTS";

    public static TheoryData<string> Names => [.. Golden().EnumerateObject().Select(network => network.Name)];

    public static TheoryData<string, string> Files
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var network in Golden().EnumerateObject())
            {
                data.Add(network.Name, "zip");
                data.Add(network.Name, "legacy");
            }

            return data;
        }
    }

    [Fact]
    public void Every_network_except_the_embedded_one_is_checked() =>
        Assert.Equal(ModelCatalog.Names.Where(name => name != "signs").Order(StringComparer.Ordinal), Golden().EnumerateObject().Select(network => network.Name).Order(StringComparer.Ordinal));

    [Theory]
    [Trait("speed", "slow")]
    [MemberData(nameof(Names))]
    public void Logits_equal_those_of_PyTorch_with_weights_computed_by_a_formula(string name)
    {
        using var scope = NewDisposeScope();
        using var loaded = ModelCatalog.WithRandomWeights(name);
        var golden = Golden().GetProperty(name);
        var state = loaded.Module.state_dict();
        Assert.Equal(golden.GetProperty("tensors").GetInt32(), state.Count);
        Assert.Equal(golden.GetProperty("names").GetString(), FormulaWeights.Names(state));
        Assert.Equal(golden.GetProperty("parameters").GetInt64(), loaded.Module.parameters().Sum(parameter => parameter.numel()));
        Assert.Equal(golden.GetProperty("parameters").GetInt64(), Description(name).ParameterCount);

        FormulaWeights.Fill(loaded.Module);
        AssertLogits(golden, loaded);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_checkpoint_written_by_PyTorch_gives_the_same_logits(string name, string form)
    {
        var file = Path.Combine(Environment.GetEnvironmentVariable(CheckpointsVariable) ?? "", $"{name}_{form}.pt");
        if (!File.Exists(file))
        {
            Assert.Skip($"needs {name}_{form}.pt; run Golden/generate.py --checkpoints FOLDER and set {CheckpointsVariable} to that folder");
        }

        using var loaded = ModelCatalog.Load(name, file);
        AssertLogits(Golden().GetProperty(name), loaded);
    }

    [Fact]
    [Trait("speed", "slow")]
    public void DenseNet_loads_tensors_with_the_old_names()
    {
        using var scope = NewDisposeScope();
        using var network = ModelCatalog.WithRandomWeights("densenet121");
        FormulaWeights.Fill(network.Module);
        using var folder = new TemporaryFolder();
        var file = folder["weights.safetensors"];
        var old = network.Module.state_dict().ToDictionary(
            entry => entry.Key.Contains("denselayer", StringComparison.Ordinal)
                ? entry.Key.Replace("norm1.", "norm.1.", StringComparison.Ordinal).Replace("norm2.", "norm.2.", StringComparison.Ordinal)
                    .Replace("conv1.", "conv.1.", StringComparison.Ordinal).Replace("conv2.", "conv.2.", StringComparison.Ordinal)
                : entry.Key,
            entry => entry.Value,
            StringComparer.Ordinal);
        Assert.Contains("features.denseblock4.denselayer16.norm.2.running_var", old.Keys, StringComparer.Ordinal);
        Assert.DoesNotContain("features.denseblock1.denselayer1.norm1.weight", old.Keys, StringComparer.Ordinal);
        using (var stream = File.Create(file))
        {
            Safetensors.Write(stream, old);
        }

        using var loaded = ModelCatalog.Load("densenet121", file);
        AssertLogits(Golden().GetProperty("densenet121"), loaded);
    }

    [Fact]
    public void The_description_of_the_embedded_network_is_correct()
    {
        using var scope = NewDisposeScope();
        using var loaded = ModelCatalog.Load("signs", weights: null);
        Assert.Equal(loaded.Module.parameters().Sum(parameter => parameter.numel()), Description("signs").ParameterCount);
        Assert.Equal([1L, loaded.ClassCount], loaded.Module.call(zeros([1, .. Description("signs").InputShape])).shape);
    }

    private static ModelDescription Description(string name) => ModelCatalog.Models.Single(network => network.Name == name);

    private static JsonElement Golden() => JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", "architectures.json"))).RootElement;

    private static void AssertLogits(JsonElement golden, LoadedModel loaded)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        var description = Description(loaded.Name);
        Assert.Equal([3, description.InputShape[2], description.InputShape[2]], description.InputShape);
        var logits = loaded.Module.call(FormulaWeights.Image(description.InputShape[2]));
        var expected = tensor(golden.GetProperty("logits").EnumerateArray().Select(logit => logit.GetDouble()).ToArray()).unsqueeze(0);
        Assert.Equal([1L, loaded.ClassCount], logits.shape);
        Assert.Equal(expected.shape, logits.shape);
        var error = ((logits.to(ScalarType.Float64) - expected).abs().max() / expected.abs().max()).item<double>();
        Assert.True(error < 1e-3, $"The logits differ by {error:E2} of the largest.");
        TestContext.Current.SendDiagnosticMessage($"{loaded.Name}: {error:E2}");
    }
}
