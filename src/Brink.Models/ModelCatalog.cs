using Brink.Models.Architectures;
using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>The networks that can be had by name.</summary>
public static class ModelCatalog
{
    // By name; docs/models.md has the addresses.
    private const string Own = "brink train";
    private const string Trained = "models/ of Brink";
    private const string Published = "pytorch-cifar-models";

    private static readonly Dictionary<string, Model> Models = new Model[]
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
    }.ToDictionary(model => model.Description.Name, StringComparer.Ordinal);

    /// <summary>The names, the embedded network first.</summary>
    public static IReadOnlyCollection<string> Names => Models.Keys;

    /// <summary>What there is to know of each network, in the order of <see cref="Names"/>.</summary>
    public static IReadOnlyList<NetworkDescription> Networks { get; } = [.. Models.Values.Select(model => model.Description)];

    /// <summary>Builds a network by name and gives it its weights.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="weights">A checkpoint; null only where the network brings its own.</param>
    /// <param name="normalization">The preprocessing to use instead of the network's usual one.</param>
    /// <exception cref="BadInputException">There is no such network, or its weights are missing or do not fit.</exception>
    public static LoadedModel Load(string name, string? weights, Normalization? normalization = null)
    {
        var model = Find(name);
        if (weights is null && model.CreateWithWeights is null)
        {
            throw new BadInputException($"The model {name} needs weights, but none were given; add --weights FILE, a PyTorch or safetensors checkpoint.");
        }

        return Build(model, weights is null ? model.CreateWithWeights! : model.Create, normalization, module =>
        {
            if (weights is not null)
            {
                using var scope = NewDisposeScope();
                StateDict.LoadInto(module, model.Rename(StateDict.Read(weights)), weights);
            }
        });
    }

    /// <summary>Builds a network by name with random weights, where only its speed or its shape matters. Its answers mean nothing.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="seed">Decides the weights, drawn by a generator of their own.</param>
    /// <exception cref="BadInputException">There is no such network.</exception>
    public static LoadedModel WithRandomWeights(string name, long seed = 0)
    {
        var model = Find(name);
        return Build(model, model.Create, normalization: null, module => RandomWeights.Fill(module, seed));
    }

    private static LoadedModel Build(Model model, Func<nn.Module<Tensor, Tensor>> create, Normalization? normalization, Action<nn.Module> fill)
    {
        using var untouched = new UntouchedRandomState();
        var description = model.Description;
        var loaded = new LoadedModel(description.Name, create(), description.ClassCount, normalization ?? description.Normalization);
        try
        {
            fill(loaded.Module);
            loaded.Module.eval();
            return loaded;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>Builds a network by name to be trained, in training mode, its weights drawn from torch's global generator.</summary>
    /// <param name="name">One of <see cref="Names"/> that does not bring its own weights.</param>
    /// <param name="normalization">The preprocessing to use instead of the network's usual one.</param>
    /// <exception cref="BadInputException">There is no such network, or it comes trained.</exception>
    public static LoadedModel Untrained(string name, Normalization? normalization = null)
    {
        return Models.TryGetValue(name, out var model) && model.CreateWithWeights is null
            ? new(name, model.Create(), model.Description.ClassCount, normalization ?? model.Description.Normalization)
            : throw new BadInputException($"There is no untrained model named '{name}'; choose one of {string.Join(", ", Models.Values.Where(known => known.CreateWithWeights is null).Select(known => known.Description.Name))}.");
    }

    private static Model Find(string name) => Models.TryGetValue(name, out var model)
        ? model
        : throw new BadInputException($"There is no model named '{name}'; choose one of {string.Join(", ", Names)}.");

    private static Model Cifar10(string name, long parameterCount, string weightsSource, Func<nn.Module<Tensor, Tensor>> create) =>
        new(new() { Name = name, ClassCount = 10, InputShape = [3, 32, 32], Normalization = Normalization.Cifar10, ParameterCount = parameterCount, WeightsSource = weightsSource }, create);

    private static Model ImageNet(string name, long parameterCount, string weightsSource, Func<nn.Module<Tensor, Tensor>> create) =>
        new(new() { Name = name, ClassCount = 1000, InputShape = [3, 224, 224], Normalization = Normalization.ImageNet, ParameterCount = parameterCount, WeightsSource = weightsSource }, create);

    /// <param name="Description">What is known before it is built.</param>
    /// <param name="Create">Builds it with weights that torch draws.</param>
    /// <param name="CreateWithWeights">Builds it with the weights it brings; null where it brings none.</param>
    private sealed record Model(NetworkDescription Description, Func<nn.Module<Tensor, Tensor>> Create, Func<nn.Module<Tensor, Tensor>>? CreateWithWeights = null)
    {
        /// <summary>The name that the network has today for a tensor of an old checkpoint.</summary>
        public Func<string, string>? CurrentName { get; init; }

        public IReadOnlyDictionary<string, Tensor> Rename(IReadOnlyDictionary<string, Tensor> tensors) =>
            CurrentName is null ? tensors : tensors.ToDictionary(entry => CurrentName(entry.Key), entry => entry.Value, StringComparer.Ordinal);
    }
}
