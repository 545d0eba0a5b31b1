using Brink.Models.Architectures;
using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>The models that can be loaded by name.</summary>
public static class ModelCatalog
{
    // Sources of weights; docs/models.md has the addresses.
    private const string Own = "brink train";
    private const string Trained = "models/ of Brink";
    private const string Published = "pytorch-cifar-models";

    private static readonly Dictionary<string, Entry> Entries = new Entry[]
    {
        new(
            new()
            {
                Name = SampleNetwork.Name,
                ClassCount = 10,
                InputShape = [3, 32, 32],
                Normalization = SampleNetwork.Normalization,
                ParameterCount = 78_042,
                WeightsSource = "embedded",
            },
            SampleNetwork.Untrained,
            SampleNetwork.Load),
        Cifar10("resnet20", 272_474, "the paper's authors", () => new CifarResNet(20)),
        Cifar10("resnet32", 466_906, Published, () => new CifarResNet(32)),
        Cifar10("resnet44", 661_338, Published, () => new CifarResNet(44)),
        Cifar10("resnet56", 855_770, Published, () => new CifarResNet(56)),
        Cifar10("resnet110", 1_730_714, Own, () => new CifarResNet(110)),
        Cifar10("resnet18-cifar", 11_173_962, Own, () => new CifarResNet18()),
        Cifar10("wresnet16-4", 2_748_890, Own, () => new WideResNet(16, 4)),
        Cifar10("wresnet28-10", 36_479_194, Own, () => new WideResNet(28, 10)),
        Cifar10("mlp-swish", 4_133_898, Own, () => new MultilayerPerceptron(MultilayerPerceptron.PaperWidths, nn.SiLU())),
        Cifar10("alexlike", 1_756_682, Trained, () => new AlexLike(nn.ReLU())),
        Cifar10("alexlike-s", 1_756_682, Trained, () => new AlexLike(nn.SiLU())),
        ImageNet("alexnet", 61_100_840, "alexnet-owt-7be5be79.pth", () => new AlexNet(() => nn.ReLU())),
        ImageNet("alexnet-swish", 61_100_840, "none published", () => new AlexNet(() => nn.SiLU())),
        ImageNet("vgg16", 138_357_544, "vgg16-397923af.pth", () => new Vgg16()),
        ImageNet("vgg16-bn", 138_365_992, "vgg16_bn-6c64b313.pth", () => new Vgg16(batchNormalization: true)),
        ImageNet("resnet18", 11_689_512, "resnet18-f37072fd.pth", () => ResNet.WithLayers18()),
        ImageNet("resnet50", 25_557_032, "resnet50-0676ba61.pth", () => ResNet.WithLayers50()),
        ImageNet("densenet121", 7_978_856, "densenet121-a639ec97.pth", () => new DenseNet121()) with { CurrentName = DenseNet121.CurrentName },
    }.ToDictionary(entry => entry.Description.Name, StringComparer.Ordinal);

    /// <summary>The names of the models, the embedded one first.</summary>
    public static IReadOnlyCollection<string> Names => Entries.Keys;

    /// <summary>The descriptions of the models, in the order of <see cref="Names"/>.</summary>
    public static IReadOnlyList<ModelDescription> Models { get; } = [.. Entries.Values.Select(entry => entry.Description)];

    /// <summary>Loads a model with its weights, in evaluation mode on the CPU.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="weights">The path of a PyTorch or safetensors checkpoint; null for the embedded weights of <c>signs</c>.</param>
    /// <param name="normalization">The preprocessing; null for the one in the model's description.</param>
    /// <param name="key">The key of a dictionary in the checkpoint, or the beginning of names up to a dot; null to search the whole checkpoint.</param>
    /// <returns>The model; the caller disposes it.</returns>
    /// <exception cref="BadInputException">Thrown when there is no model of that name, or its weights are missing or do not fit.</exception>
    public static LoadedModel Load(string name, string? weights, Normalization? normalization = null, string? key = null)
    {
        var entry = Find(name);
        if (weights is null && entry.CreateWithWeights is null)
        {
            throw new BadInputException($"The model {name} needs weights, but none were given; add --weights FILE, a PyTorch or safetensors checkpoint.");
        }

        return weights is null
            ? Build(entry, entry.CreateWithWeights!, normalization, _ => [])
            : Build(entry, entry.Create, normalization, model => StateDict.Load(model.Module, weights, key, entry.CurrentName, model.Normalization));
    }

    /// <summary>Creates a model with random weights, for timing and for tests of shapes; its predictions are meaningless.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="seed">The seed that determines the weights; default 0.</param>
    /// <returns>The model, in evaluation mode on the CPU; the caller disposes it.</returns>
    /// <exception cref="BadInputException">Thrown when there is no model of that name.</exception>
    public static LoadedModel WithRandomWeights(string name, long seed = 0)
    {
        var entry = Find(name);
        return Build(entry, entry.Create, normalization: null, model =>
        {
            RandomWeights.Fill(model.Module, seed);
            return [];
        });
    }

    private static LoadedModel Build(Entry entry, Func<nn.Module<Tensor, Tensor>> create, Normalization? normalization, Func<LoadedModel, IReadOnlyList<string>> fill)
    {
        using var randomState = new SavedRandomState();
        var description = entry.Description;
        var loaded = new LoadedModel(description.Name, create(), description.ClassCount, normalization ?? description.Normalization);
        try
        {
            var warnings = fill(loaded);
            loaded.Module.eval();
            return loaded with { Warnings = warnings };
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>Creates a model for training, in training mode; its weights are drawn from torch's global random generator.</summary>
    /// <param name="name">One of <see cref="Names"/>, except the embedded <c>signs</c>.</param>
    /// <param name="normalization">The preprocessing; null for the one in the model's description.</param>
    /// <returns>The model; the caller disposes it.</returns>
    /// <exception cref="BadInputException">Thrown when there is no model of that name, or it has embedded weights.</exception>
    public static LoadedModel Untrained(string name, Normalization? normalization = null)
    {
        return Entries.TryGetValue(name, out var entry) && entry.CreateWithWeights is null
            ? new(name, entry.Create(), entry.Description.ClassCount, normalization ?? entry.Description.Normalization)
            : throw new BadInputException($"There is no untrained model named {Excerpt.Quote(name)}; choose one of {string.Join(", ", Entries.Values.Where(known => known.CreateWithWeights is null).Select(known => known.Description.Name))}.");
    }

    private static Entry Find(string name) => Entries.TryGetValue(name, out var entry)
        ? entry
        : throw new BadInputException($"There is no model named {Excerpt.Quote(name)}; choose one of {string.Join(", ", Names)}.");

    private static Entry Cifar10(string name, long parameterCount, string weightsSource, Func<nn.Module<Tensor, Tensor>> create) =>
        new(new() { Name = name, ClassCount = 10, InputShape = [3, 32, 32], Normalization = Normalization.Cifar10, ParameterCount = parameterCount, WeightsSource = weightsSource }, create);

    private static Entry ImageNet(string name, long parameterCount, string weightsSource, Func<nn.Module<Tensor, Tensor>> create) =>
        new(new() { Name = name, ClassCount = 1000, InputShape = [3, 224, 224], Normalization = Normalization.ImageNet, ParameterCount = parameterCount, WeightsSource = weightsSource }, create);

    /// <summary>A model of the catalogue.</summary>
    /// <param name="Description">The description of the model.</param>
    /// <param name="Create">Creates the network with weights drawn by torch.</param>
    /// <param name="CreateWithWeights">Creates the network with embedded weights; null if there are none.</param>
    private sealed record Entry(ModelDescription Description, Func<nn.Module<Tensor, Tensor>> Create, Func<nn.Module<Tensor, Tensor>>? CreateWithWeights = null)
    {
        /// <summary>Translates the names of tensors in old checkpoints to the current ones.</summary>
        public Func<string, string> CurrentName { get; init; } = name => name;
    }
}
