using System.IO.Compression;
using System.Text;
using Brink.Attacks;
using CsCheck;
using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Models.Tests.TorchScript;

/// <summary>Tests with files that PyTorch wrote with torch.jit: Fixtures/make_fixtures.py.</summary>
public sealed class TorchScriptModelTests : IDisposable
{
    private static readonly long[] Shape = [3, 8, 8];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_scripted_network_equals_a_computation_layer_by_layer_in_evaluation_mode()
    {
        using var scope = NewDisposeScope();
        using var loaded = TorchScriptModel.Load(Fixture("torchscript_classifier.pt"), Shape);
        Assert.Equal(("torchscript_classifier.pt", 10), (loaded.Name, loaded.ClassCount));
        using var withoutGradients = no_grad();
        var weights = loaded.Module.state_dict();
        Assert.Equal(
            ["0.bias", "0.weight", "1.bias", "1.num_batches_tracked", "1.running_mean", "1.running_var", "1.weight", "6.bias", "6.weight"],
            weights.Keys.Order(StringComparer.Ordinal).ToArray());
        var images = rand(4, 3, 8, 8, generator: new Generator(1));
        var features = nn.functional.conv2d(images, weights["0.weight"], weights["0.bias"]);
        Tensor Channels(string part) => weights[$"1.{part}"].reshape(4, 1, 1);
        features = (features - Channels("running_mean")) / (Channels("running_var") + 1e-5).sqrt() * Channels("weight") + Channels("bias");
        features = (features * features.sigmoid()).mean([2, 3]);
        var expected = features.matmul(weights["6.weight"].t()) + weights["6.bias"];
        Assert.True(loaded.Module.call(images).allclose(expected, rtol: 1e-4, atol: 1e-5));
    }

    [Fact]
    public void The_number_of_classes_of_a_traced_network_is_determined_with_one_image()
    {
        using var loaded = TorchScriptModel.Load(Fixture("torchscript_traced.pt"), [3, 4, 4]);
        Assert.Equal(3, loaded.ClassCount);
    }

    /// <summary>TorchSharp makes new objects for the modules inside a script at every call, so they cannot be counted one by one.</summary>
    [Fact]
    public void Two_attacks_that_share_a_network_with_a_script_inside_restore_the_modes_after_the_last()
    {
        using var script = jit.load<Tensor, Tensor>(Fixture("torchscript_classifier.pt"), DeviceType.CPU);
        // Not disposed: TorchSharp would dispose the script before it enumerates its modules.
        var network = new Wrapper(script);
        network.train();
        script.named_modules().First().module.eval();
        var modes = Modes();
        Assert.Contains(true, modes);
        Assert.Contains(false, modes);
        var classifier = new ModuleClassifier(network, 10, Bounds.Pixels);
        var (first, second) = (classifier.EnterEvaluation(), classifier.EnterEvaluation());
        first.Dispose();
        Assert.All(Modes(), Assert.False);
        second.Dispose();
        Assert.Equal(modes, Modes());

        bool[] Modes() => [network.training, script.training, .. script.named_modules().Select(part => part.module.training)];
    }

    [Fact]
    public void The_trust_region_attack_fools_it_and_restores_its_mode()
    {
        using var scope = NewDisposeScope();
        using var loaded = TorchScriptModel.Load(Fixture("torchscript_classifier.pt"), Shape);
        var before = loaded.Module.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.clone(), StringComparer.Ordinal);
        loaded.Module.train();
        var classifier = new ModuleClassifier(loaded.Module, loaded.ClassCount, Bounds.Pixels, loaded.Name);
        var images = rand(6, 3, 8, 8, generator: new Generator(2));
        Tensor labels;
        using (classifier.EnterEvaluation())
        {
            labels = loaded.Module.call(images).argmax(1);
        }

        // One image at a time: in larger batches libtorch hands the convolution to oneDNN, whose gradients are wrong or NaN for
        // fewer output channels than a vector register holds (seen with 3 → 4 channels on AVX2 and AVX-512).
        var outcomes = new List<Outcome>();
        for (var row = 0; row < images.shape[0]; row++)
        {
            using var result = new TrustRegionAttack(new()).Run(classifier, images[row..(row + 1)], labels[row..(row + 1)]);
            outcomes.AddRange(result.Outcomes);
        }

        Assert.Contains(outcomes, image => image.Fooled && image.L2 > 0);
        Assert.All(outcomes, image => Assert.Equal(image.Label, image.PredictionBefore));
        Assert.True(loaded.Module.training);
        Assert.All(before, entry => Assert.True(entry.Value.equal(loaded.Module.state_dict()[entry.Key]).all().item<bool>(), entry.Key));
    }

    [Fact]
    public void Passes_leave_no_tensors()
    {
        using var loaded = TorchScriptModel.Load(Fixture("torchscript_classifier.pt"), Shape);
        var classifier = new ModuleClassifier(loaded.Module, loaded.ClassCount, Bounds.Pixels, loaded.Name);
        using var images = rand(2, 3, 8, 8);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (var pass = 0; pass < 3; pass++)
        {
            using (classifier.EnterEvaluation())
            {
                classifier.Logits(images).Dispose();
            }
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Networks_that_return_no_logits_for_the_images_are_refused()
    {
        AssertRefused(Fixture("torchscript_pair.pt"), "tensors of other shapes");
        AssertRefused(Fixture("torchscript_traced.pt"), "images of shape [3, 8, 8]", "failed on one");
    }

    [Theory]
    [InlineData("checkpoint_zip.pt", "--weights")]
    [InlineData("checkpoint_legacy.pt", "--weights")]
    [InlineData("whole_module_zip.pt", "--weights")]
    [InlineData("by_hand.safetensors", "--weights")]
    public void Weights_without_code_are_refused_with_advice_to_use_the_weights_flag(string file, string part) => AssertRefused(Fixture(file), part);

    [Fact]
    public void Other_files_are_refused_with_a_reason()
    {
        AssertRefused(_folder["absent.pt"], "does not exist");
        AssertRefused(_folder.Path, "is a folder");
        AssertRefused(Write([]), "empty");
        AssertRefused(Write("import torch"u8.ToArray()), "text");
        AssertRefused(Write([0x50, 0x4b, 5, 6, .. new byte[18]]), "another zip archive");
    }

    [Fact]
    public void Missing_code_and_calls_of_extensions_are_refused()
    {
        AssertRefused(Rewritten(name => name.Replace("_mangle_2.", "_mangle_9.", StringComparison.Ordinal), text => text), "the code of", "is missing");
        AssertRefused(Rewritten(name => name, text => text.Replace("torch.linear(", "ops.torchvision.nms(", StringComparison.Ordinal)), "'torchvision'");
    }

    [Theory]
    [InlineData("ops.quantized.linear_dynamic(")]
    [InlineData("torch.quantize_per_tensor(")]
    [InlineData("torch.quantized_lstm(")]
    public void A_quantized_network_is_refused_as_such(string call) =>
        AssertRefused(Rewritten(name => name, text => text.Replace("torch.linear(", call, StringComparison.Ordinal)), "contains a quantized network", "before quantization");

    [Fact]
    public void A_network_that_was_saved_in_training_mode_causes_a_warning()
    {
        using var trained = TorchScriptModel.Load(Fixture("torchscript_classifier.pt"), Shape);
        Assert.Contains("saved in training mode", Assert.Single(trained.Warnings), StringComparison.Ordinal);
        Assert.False(trained.Module.training);
        using var evaluated = TorchScriptModel.Load(Fixture("torchscript_traced.pt"), [3, 4, 4]);
        Assert.Empty(evaluated.Warnings);
        // A frozen network has no modes.
        using var frozen = TorchScriptModel.Load(Rewritten(name => name, text => text.Replace("  training : bool\n", "", StringComparison.Ordinal)), [3, 4, 4]);
        Assert.Empty(frozen.Warnings);
    }

    [Fact]
    [Trait("speed", "slow")]
    public void Damage_is_detected_before_libtorch_loads_the_file()
    {
        var whole = File.ReadAllBytes(Fixture("torchscript_traced.pt"));
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte[1, 255], Gen.Bool).Sample(
            (position, change, truncate) =>
            {
                var bytes = truncate ? whole[..position] : whole.ToArray();
                if (!truncate)
                {
                    bytes[position] ^= change;
                }

                try
                {
                    using var loaded = TorchScriptModel.Load(Write(bytes), [3, 4, 4]);
                    // Changes of padding and dates in the archive have no effect.
                    Assert.Equal(3, loaded.ClassCount);
                }
                catch (BadInputException exception)
                {
                    Assert.EndsWith(".", exception.Message, StringComparison.Ordinal);
                }
            },
            iter: 300,
            threads: 1);
    }

    private static string Fixture(string name) => Path.Combine(AppContext.BaseDirectory, "Fixtures", name);

    private static void AssertRefused(string path, params string[] parts)
    {
        var exception = Assert.Throws<BadInputException>(() => TorchScriptModel.Load(path, Shape));
        Assert.EndsWith(".", exception.Message, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.Contains(part, exception.Message, StringComparison.Ordinal));
    }

    /// <summary>Creates a copy of the traced network with renamed or edited code.</summary>
    private string Rewritten(Func<string, string> rename, Func<string, string> edit)
    {
        var path = _folder[$"{Guid.NewGuid():N}.pt"];
        using var source = ZipFile.OpenRead(Fixture("torchscript_traced.pt"));
        using var target = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach (var entry in source.Entries)
        {
            using var input = entry.Open();
            using var bytes = new MemoryStream();
            input.CopyTo(bytes);
            var isCode = entry.FullName.EndsWith(".py", StringComparison.Ordinal);
            using var output = target.CreateEntry(isCode ? rename(entry.FullName) : entry.FullName, CompressionLevel.NoCompression).Open();
            output.Write(isCode ? Encoding.UTF8.GetBytes(edit(Encoding.UTF8.GetString(bytes.ToArray()))) : bytes.ToArray());
        }

        return path;
    }

    private string Write(byte[] bytes)
    {
        var path = _folder["damaged.pt"];
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private sealed class Wrapper : nn.Module<Tensor, Tensor>
    {
        private readonly jit.ScriptModule<Tensor, Tensor> _script;

        public Wrapper(jit.ScriptModule<Tensor, Tensor> script)
            : base(nameof(Wrapper)) => register_module("script", _script = script);

        public override Tensor forward(Tensor input) => _script.call(input);
    }
}
