using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Loads TorchScript files, which contain a network with its code: <c>torch.jit.script(model).save(path)</c> or <c>torch.jit.trace</c>.</summary>
/// <remarks>A TorchScript file is a program. Load only files that you trust.</remarks>
public static class TorchScriptModel
{
    /// <summary>The identity preprocessing, used when none is given: the network receives pixels in [0, 1] unchanged.</summary>
    public static Normalization NoNormalization { get; } = new([0], [1]);

    /// <summary>Loads a TorchScript file and determines the number of classes with one forward pass of an image of zeros.</summary>
    /// <param name="path">The file.</param>
    /// <param name="imageShape">The shape of an image, [channels, height, width].</param>
    /// <param name="normalization">The preprocessing; null for <see cref="NoNormalization"/>.</param>
    /// <returns>The model in evaluation mode on the CPU, with the file's name; the caller disposes it.</returns>
    /// <exception cref="BadInputException">Thrown when the file is not TorchScript or is damaged, or its network is quantized or returns no logits for such images.</exception>
    public static LoadedModel Load(string path, IReadOnlyList<long> imageShape, Normalization? normalization = null)
    {
        ArgumentNullException.ThrowIfNull(imageShape);
        var hasMode = TorchScriptArchive.Check(path);
        var name = Path.GetFileName(path);
        TorchScriptNetwork network;
        try
        {
            network = new(name, jit.load<Tensor, Tensor>(path, DeviceType.CPU));
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            throw new BadInputException($"{path} cannot be loaded as TorchScript ({FirstLine(exception)}); save it again with torch.jit.script(model).save(…).", exception);
        }

        try
        {
            // A network without modes reports the training mode.
            var training = hasMode && network.IsTraining;
            network.eval();
            return new(name, network, ClassCount(network, path, imageShape), normalization ?? NoNormalization)
            {
                Warnings = training ? [$"{name} was saved in training mode and is run in evaluation mode; if it was traced in training mode, its dropout and batch normalisation cannot be switched and the results are meaningless, so call model.eval() before it is saved."] : [],
            };
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static int ClassCount(TorchScriptNetwork network, string path, IReadOnlyList<long> imageShape)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        Tensor logits;
        try
        {
            logits = network.call(zeros([1, .. imageShape]));
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            throw new BadInputException($"The network in {path} should return logits for images of shape {Excerpt.Shape(imageShape)}, but it failed on one ({FirstLine(exception)}); check that it takes float32 images of this shape and returns one tensor.", exception);
        }

        return logits.dim() == 2 && logits.shape[0] == 1 && logits.shape[1] >= 2
            ? (int)logits.shape[1]
            : throw new BadInputException($"The network in {path} should return logits of shape [1, classes] for one image, with at least two classes, but returned {Excerpt.Shape(logits.shape)}; wrap it in a module that returns such logits.");
    }

    /// <summary>Returns the first line of a message; libtorch's messages continue with many lines of script positions.</summary>
    private static string FirstLine(Exception exception) =>
        Excerpt.Plain((exception.Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() ?? exception.GetType().Name).TrimEnd('.'));
}

/// <summary>A TorchScript network as an ordinary module.</summary>
/// <remarks>The script is not registered as a submodule, because TorchSharp would dispose it before it enumerates the script's own modules.</remarks>
internal sealed class TorchScriptNetwork(string name, jit.ScriptModule<Tensor, Tensor> script) : nn.Module<Tensor, Tensor>(name)
{
    public override bool training => script.training;

    /// <summary>Indicates whether any part of the network is in training mode.</summary>
    public bool IsTraining => script.training || script.modules().Any(part => part.training);

    public override void train(bool on = true) => script.train(on);

    public override Tensor forward(Tensor input) => script.call(input);

    public override IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true) => script.named_parameters(recurse);

    /// <summary>Returns the parameters and buffers by their names in PyTorch.</summary>
    public override Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
    {
        destination ??= new(StringComparer.Ordinal);
        foreach (var (entry, value) in named_parameters().Select(parameter => (parameter.name, (Tensor)parameter.parameter)).Concat(script.named_buffers()))
        {
            destination.TryAdd(string.IsNullOrEmpty(prefix) ? entry : $"{prefix}.{entry}", value);
        }

        return destination;
    }

    protected override nn.Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking)
    {
        script.to(deviceType, deviceIndex, non_blocking);
        return this;
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            script.Dispose();
        }
    }
}
