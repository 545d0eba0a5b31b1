using Brink.Classifiers;
using Brink.Models.Architectures;
using Brink.Models.Checkpoints;
using Brink.Models.Samples;
using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>The networks that can be had by name.</summary>
public static class ModelCatalog
{
    private static readonly Dictionary<string, Model> Models = new Model[]
    {
        new(SampleNetwork.Name, SampleNetwork.Load, SampleNetwork.Normalization, 10, HasOwnWeights: true),
        CifarResNet(20), CifarResNet(32), CifarResNet(44), CifarResNet(56), CifarResNet(110),
        Cifar10("mlp-swish", () => new MultilayerPerceptron(MultilayerPerceptron.PaperWidths, nn.SiLU())),
        Cifar10("alexlike", () => new AlexLike(nn.ReLU())),
        Cifar10("alexlike-s", () => new AlexLike(nn.SiLU())),
    }.ToDictionary(model => model.Name, StringComparer.Ordinal);

    /// <summary>The names, the embedded network first.</summary>
    public static IReadOnlyCollection<string> Names => Models.Keys;

    /// <summary>Builds a network by name and gives it its weights.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="weights">A checkpoint; null only where the network brings its own.</param>
    /// <param name="normalization">The preprocessing to use instead of the network's usual one.</param>
    /// <exception cref="BadInputException">There is no such network, or its weights are missing or do not fit.</exception>
    public static LoadedModel Load(string name, string? weights, Normalization? normalization = null)
    {
        if (!Models.TryGetValue(name, out var model))
        {
            throw new BadInputException($"There is no model named '{name}'; choose one of {string.Join(", ", Names)}.");
        }

        if (weights is null && !model.HasOwnWeights)
        {
            throw new BadInputException($"The model {name} needs weights, but none were given; add --weights FILE, a PyTorch or safetensors checkpoint.");
        }

        var loaded = new LoadedModel(name, model.Create(), model.ClassCount, normalization ?? model.Normalization);
        try
        {
            if (weights is not null)
            {
                using var scope = NewDisposeScope();
                StateDict.LoadInto(loaded.Module, StateDict.Read(weights), weights);
            }

            loaded.Module.eval();
            return loaded;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>Builds a network by name with random weights, in training mode, drawn from torch's global generator.</summary>
    /// <param name="name">One of <see cref="Names"/> that does not bring its own weights.</param>
    /// <param name="normalization">The preprocessing to use instead of the network's usual one.</param>
    /// <exception cref="BadInputException">There is no such network, or it comes trained.</exception>
    public static LoadedModel Untrained(string name, Normalization? normalization = null)
    {
        if (!Models.TryGetValue(name, out var model) || model.HasOwnWeights)
        {
            throw new BadInputException($"There is no untrained model named '{name}'; choose one of {string.Join(", ", Models.Values.Where(known => !known.HasOwnWeights).Select(known => known.Name))}.");
        }

        return new(name, model.Create(), model.ClassCount, normalization ?? model.Normalization);
    }

    private static Model CifarResNet(int depth) =>
        Cifar10(FormattableString.Invariant($"resnet{depth}"), () => new CifarResNet(depth));

    private static Model Cifar10(string name, Func<nn.Module<Tensor, Tensor>> create) => new(name, create, Normalization.Cifar10, 10, HasOwnWeights: false);

    private sealed record Model(string Name, Func<nn.Module<Tensor, Tensor>> Create, Normalization Normalization, int ClassCount, bool HasOwnWeights);
}
