using Brink.Models.Architectures;
using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Models.Tests.Checkpoints;

/// <summary>Checkpoints as training programs write them: with prefixes, several dictionaries and other tensors than weights.</summary>
public sealed class StateDictFitTests : IDisposable
{
    private static readonly float[] Mean = [0.4914f, 0.4822f, 0.4465f];
    private static readonly float[] Deviation = [0.2023f, 0.1994f, 0.201f];

    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly CifarResNet _network = new(8);
    private readonly Dictionary<string, Tensor> _weights;

    public StateDictFitTests() => _weights = Weights(seed: 1);

    public void Dispose()
    {
        _network.Dispose();
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("module.")]
    [InlineData("model.")]
    [InlineData("net.")]
    [InlineData("_orig_mod.")]
    [InlineData("module._orig_mod.model.")]
    [InlineData("classifier_backbone.")]
    [InlineData("1.")]
    public void A_prefix_of_all_names_is_removed_and_reported(string prefix)
    {
        AssertLoads(Prefixed(prefix), $"begin with '{prefix}', which was removed.");
        AssertLoads(new Content { ["epoch"] = 3, ["state_dict"] = Prefixed(prefix) }, $"begin with '{prefix}', which was removed.");
    }

    [Fact]
    public void Names_without_a_prefix_are_not_reported() => AssertLoads(Prefixed(""));

    [Theory]
    [InlineData("model")]
    [InlineData("net")]
    [InlineData("state_dict")]
    [InlineData("model_state_dict")]
    [InlineData("ema")]
    [InlineData("weights")]
    public void A_nested_dictionary_is_found_under_any_key(string key)
    {
        AssertLoads(new Content { ["epoch"] = 3, [key] = Prefixed(""), ["best_acc1"] = tensor(92.1f), ["optimizer"] = Optimizer() });
        AssertLoads(new Content { ["checkpoint"] = new Content { [key] = Prefixed("") }, ["optimizer_states"] = Optimizer() });
    }

    [Fact]
    public void Names_of_wrapping_modules_inside_the_names_are_removed() =>
        AssertLoads(Renamed(name => name.Replace("layer1.", "layer1.module.", StringComparison.Ordinal)), "names of wrapping modules (module), which were removed.");

    [Fact]
    public void A_missing_count_of_batches_is_tolerated_under_a_prefix() =>
        AssertLoads(new(Prefixed("net.").Where(named => !named.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal))), "'net.'");

    [Theory]
    [InlineData("module.")]
    [InlineData("")]
    public void Single_numbers_are_set_aside_and_reported(string prefix) => AssertLoads(
        new Content(Prefixed(prefix)) { ["n_averaged"] = tensor(40L), ["temperature"] = tensor(1.5f) },
        [.. new[] { prefix }.Where(text => text.Length > 0), "'n_averaged = 40', 'temperature = 1.5', which the network does not have"]);

    [Fact]
    public void Tensors_of_the_training_are_set_aside() =>
        AssertLoads(new Content(Prefixed("model.")) { ["criterion.weight"] = ones(10), ["optimizer.state.0.exp_avg"] = ones(5), ["bn.num_batches_tracked"] = tensor(3L) }, "'model.'");

    [Theory]
    [InlineData("normalize.mean", "normalize.std")]
    [InlineData("mu", "sigma")]
    [InlineData("preprocess.pixel_means", "preprocess.pixel_sds")]
    [InlineData("normalizer.new_mean", "normalizer.new_std")]
    public void The_preprocessing_of_the_training_is_offered_with_its_values(string mean, string deviation)
    {
        var content = new Content(Prefixed("model.")) { [mean] = tensor(Mean).reshape(1, 3, 1, 1), [deviation] = tensor(Deviation).reshape(3, 1, 1) };
        string[] values = [$"'{mean}' (0.4914,0.4822,0.4465) and '{deviation}' (0.2023,0.1994,0.201)", "add --mean 0.4914,0.4822,0.4465 --std 0.2023,0.1994,0.201."];
        foreach (var value in values)
        {
            AssertLoads(content, "'model.'", value);
        }
    }

    [Fact]
    public void The_preprocessing_may_be_a_normalizing_layer_or_in_bytes()
    {
        AssertLoads(
            new Content(Prefixed("1.")) { ["0.running_mean"] = tensor(Mean), ["0.running_var"] = tensor(Deviation.Select(value => (value * value) - 1e-5f).ToArray()), ["0.num_batches_tracked"] = tensor(7L) },
            "'1.'",
            "add --mean 0.4914,0.4822,0.4465 --std 0.2023,0.1994,0.201.");
        AssertLoads(
            new Content(Prefixed("")) { ["mean"] = tensor(new[] { 102f, 127.5f, 51f }), ["std"] = tensor(51f) },
            "--mean 0.4,0.5,0.2 --std 0.2 (divided by 255");
    }

    [Fact]
    public void A_preprocessing_that_the_run_uses_is_not_offered()
    {
        using var model = ModelCatalog.WithRandomWeights("resnet20");
        var content = new Content(model.Module.state_dict().Select(named => KeyValuePair.Create("model." + named.Key, (object)named.Value)));
        content["normalize.mean"] = tensor(model.Normalization.Mean.Select(value => (float)value).ToArray());
        content["normalize.std"] = tensor(model.Normalization.StandardDeviation.Select(value => (float)value).ToArray());
        using var same = ModelCatalog.Load("resnet20", Write(content));
        Assert.Contains(same.Warnings, warning => warning.EndsWith("this run uses the same.", StringComparison.Ordinal));
        using var other = ModelCatalog.Load("resnet20", Write(content), Normalization.ImageNet);
        Assert.Contains(other.Warnings, warning => warning.Contains("to use it, add --mean", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("state_dict", "state_dict_ema")]
    [InlineData("model", "ema")]
    public void One_of_two_dictionaries_is_chosen_by_its_key(string first, string second) =>
        AssertChosen(new Content { [first] = Prefixed("", Weights(seed: 2)), [second] = Prefixed(""), ["optimizer"] = Optimizer() }, first, second, second);

    [Theory]
    [InlineData("model", "ema_model")]
    [InlineData("student.net", "teacher.net")]
    public void One_of_two_prefixes_is_chosen_by_its_key(string first, string second) =>
        AssertChosen(new(Prefixed(first + ".", Weights(seed: 2)).Concat(Prefixed(second + "."))), first, second, second);

    [Fact]
    public void Names_without_a_prefix_are_chosen_by_an_empty_key() =>
        AssertChosen(new(Prefixed("model.", Weights(seed: 2)).Concat(Prefixed(""))), "", "model", "");

    [Fact]
    public void A_key_that_is_not_in_the_file_is_refused_with_the_keys() =>
        AssertRefused(new Content { ["model"] = Prefixed(""), ["optimizer"] = Optimizer() }, "nothing", "has no tensors under 'nothing'", "its keys are 'model', 'optimizer.state.0'");

    [Fact]
    public void Two_names_of_the_same_numbers_are_one_network() =>
        AssertLoads(new(Prefixed("module.model.").Concat(Prefixed("module.attacker.model."))), "'module.model.'");

    [Fact]
    public void Another_dictionary_that_does_not_fit_is_ignored() =>
        AssertLoads(new Content { ["model"] = Prefixed(""), ["teacher"] = new Content { ["fc.weight"] = ones(10, 64) } });

    [Fact]
    public void Weights_beside_the_network_are_refused_unless_a_key_excludes_them()
    {
        var content = new Content(Prefixed("encoder.")) { ["projector.0.weight"] = ones(8, 64) };
        AssertRefused(content, null, "the network has no 'projector.0.weight'", "--weights FILE:encoder leaves them out");
        StateDict.Load(_network, Write(content), "encoder");
        AssertHas(_weights);
    }

    [Theory]
    [InlineData("net.se.weight", 8)]
    [InlineData("net.layer1.0.scale", 1)]
    [InlineData("net.layer1.0.mean", 1)]
    [InlineData("net.normalize.inv_std", 3)]
    public void Weights_inside_the_network_are_refused(string name, int count) =>
        AssertRefused(new Content(Prefixed("net.")) { [name] = ones(count) }, null, $"the network has no '{name}'", "another architecture");

    [Fact]
    public void Names_that_only_partly_have_a_prefix_are_refused() => AssertRefused(
        Renamed(name => name.StartsWith("fc.", StringComparison.Ordinal) ? name : "backbone." + name),
        null,
        "it lacks 'backbone.fc.weight', 'backbone.fc.bias' and the network has no 'fc.weight', 'fc.bias'");

    [Fact]
    public void Another_number_of_classes_is_named() => AssertRefused(
        new Content(Prefixed("module.")) { ["module.fc.weight"] = ones(100, 64), ["module.fc.bias"] = ones(100) },
        null,
        "'module.fc.weight' has the shape [100, 64] where the network needs [10, 64], probably because the weights are of a network with 100 classes instead of 10");

    [Fact]
    public void The_first_tensor_of_another_shape_is_named() => AssertRefused(
        new Content(Prefixed("")) { ["conv1.weight"] = ones(16, 3, 7, 7), ["fc.weight"] = ones(10, 128) },
        null,
        "'conv1.weight' has the shape [16, 3, 7, 7] where the network needs [16, 3, 3, 3], probably because the weights are of another architecture");

    [Fact]
    public void The_settings_and_the_schedule_of_a_training_are_skipped()
    {
        // argparse.Namespace(lr=1) and collections.Counter({30: 1}) as pickled by Python.
        byte[] settings = Pickle.Join(Pickle.Global("argparse", "Namespace"), Pickle.EmptyTuple, [0x81], Pickle.Dictionary(("lr", Pickle.Integer(1))), Pickle.Build);
        byte[] schedule = Pickle.Join(Pickle.Global("collections", "Counter"), Pickle.TupleOf(Pickle.Join(Pickle.EmptyDictionary, Pickle.Integer(30), Pickle.Integer(1), Pickle.SetItem)), Pickle.Reduce);
        var weights = Pickle.Dictionary(("w", Pickle.Tensor(Pickle.Storage("0", 4), 0, Pickle.Integers(4), Pickle.Integers(1))));
        var file = Pickle.Legacy(Pickle.Of(Pickle.Dictionary(("args", settings), ("scheduler", schedule), ("state_dict", weights))), ["0"], Pickle.FourFloats);
        File.WriteAllBytes(_folder["training.pt"], file);
        TensorAssert.Same(arange(4, dtype: float32), StateDict.Read(_folder["training.pt"])["w"]);
    }

    [Fact]
    public void A_dictionary_in_many_others_is_refused_with_limited_work()
    {
        // Each dictionary contains the one before it many times: without a limit, 100^7 entries.
        var inner = Pickle.Join(Pickle.Dictionary(("w", Pickle.Tensor(Pickle.Storage("0", 4), 0, Pickle.Integers(4), Pickle.Integers(1)))), [(byte)'q', 0]);
        var pickle = new List<byte[]> { inner };
        for (var level = 0; level < 7; level++)
        {
            pickle.Add(Pickle.EmptyDictionary);
            pickle.AddRange(Enumerable.Range(0, 100).Select(index => Pickle.Join(Pickle.Text($"{index}"), [(byte)'h', (byte)level], Pickle.SetItem)));
            pickle.Add([(byte)'q', (byte)(level + 1)]);
        }

        File.WriteAllBytes(_folder["many.pt"], Pickle.Legacy(Pickle.Of(pickle), ["0"], Pickle.FourFloats));
        Assert.Contains("entries", Assert.Throws<BadInputException>(() => StateDict.Read(_folder["many.pt"])).Message, StringComparison.Ordinal);
    }

    // In both formats, if the content is one dictionary of tensors.
    private void AssertLoads(Content content, params string[] notes)
    {
        string[] files = content.Values.All(value => value is Tensor) ? [Write(content), WriteSafetensors(content)] : [Write(content)];
        foreach (var file in files)
        {
            // Tensors of safetensors do not share their numbers.
            if (file.EndsWith(".safetensors", StringComparison.Ordinal) && content.Values.Distinct(ReferenceEqualityComparer.Instance).Count() < content.Count)
            {
                continue;
            }

            var found = StateDict.Load(_network, file);
            AssertHas(_weights);
            Assert.Equal(notes.Length == 0, found.Count == 0);
            Assert.All(notes, note => Assert.Contains(found, text => text.Contains(note, StringComparison.Ordinal) && text.EndsWith('.')));
        }
    }

    private void AssertChosen(Content content, string first, string second, string key)
    {
        AssertRefused(content, null, "2 sets fit", $"'{first}'", $"'{second}'", "--weights FILE:KEY");
        StateDict.Load(_network, Write(content), key);
        AssertHas(_weights);
        StateDict.Load(_network, Write(content), key == first ? second : first);
        AssertHas(Weights(seed: 2));
        if (content.Values.All(value => value is Tensor))
        {
            StateDict.Load(_network, WriteSafetensors(content), key);
            AssertHas(_weights);
        }
    }

    // Also checks that the network is unchanged.
    private void AssertRefused(Content content, string? key, params string[] reasons)
    {
        var before = _network.state_dict().ToDictionary(named => named.Key, named => named.Value.clone(), StringComparer.Ordinal);
        var exception = Assert.Throws<BadInputException>(() => StateDict.Load(_network, Write(content), key));
        Assert.All(reasons, reason => Assert.Contains(reason, exception.Message, StringComparison.Ordinal));
        AssertHas(before);
    }

    private void AssertHas(Dictionary<string, Tensor> tensors)
    {
        foreach (var (name, slot) in _network.state_dict().Where(slot => !slot.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal)))
        {
            TensorAssert.Same(tensors[name], slot);
        }
    }

    private string Write(Content content)
    {
        File.WriteAllBytes(_folder["weights.pth"], TorchSave.Bytes(content));
        return _folder["weights.pth"];
    }

    private string WriteSafetensors(Content content)
    {
        using var stream = File.Create(_folder["weights.safetensors"]);
        Safetensors.Write(stream, content.ToDictionary(named => named.Key, named => (Tensor)named.Value, StringComparer.Ordinal));
        return _folder["weights.safetensors"];
    }

    private Content Prefixed(string prefix, Dictionary<string, Tensor>? weights = null) => Renamed(name => prefix + name, weights);

    private Content Renamed(Func<string, string> name, Dictionary<string, Tensor>? weights = null) =>
        new((weights ?? _weights).Select(named => KeyValuePair.Create(name(named.Key), (object)named.Value)));

    private static Content Optimizer() => new()
    {
        ["state"] = new Content { ["0"] = new Content { ["exp_avg"] = ones(16, 3, 3, 3), ["step"] = tensor(5f) } },
    };

    private Dictionary<string, Tensor> Weights(long seed)
    {
        using var generator = new Generator((ulong)seed);
        return _network.state_dict().ToDictionary(
            named => named.Key,
            named => named.Value.is_floating_point() ? randn(named.Value.shape, generator: generator) : full(named.Value.shape, seed, dtype: named.Value.dtype),
            StringComparer.Ordinal);
    }
}
