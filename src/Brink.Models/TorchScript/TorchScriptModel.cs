using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Loads TorchScript files, which contain a network with its code: <c>torch.jit.script(model).save(path)</c> or <c>torch.jit.trace</c>.</summary>
/// <remarks>
/// A TorchScript file is a program that runs in this process: it can end the process, take all memory, or never return. Load only files that you
/// trust. The command <c>brink</c> tries a file in another process first; this class does not.
/// </remarks>
public static class TorchScriptModel
{
    /// <summary>The identity preprocessing, used when none is given: the network receives pixels in [0, 1] unchanged.</summary>
    public static Normalization NoNormalization { get; } = new([0], [1]);

    /// <summary>Loads a TorchScript file and determines with a few passes of images of zeros what it takes and returns.</summary>
    /// <param name="path">The file.</param>
    /// <param name="imageShape">The shape of an image, [channels, height, width].</param>
    /// <param name="normalization">The preprocessing; null for <see cref="NoNormalization"/>.</param>
    /// <param name="output">The key or index of the output that contains the logits, for a network that returns several tensors; null to find it.</param>
    /// <returns>The model in evaluation mode on the CPU, with the file's name; the caller disposes it. Its warnings name what was recognised.</returns>
    /// <exception cref="BadInputException">Thrown when the file is not TorchScript or is damaged, or its network is quantized or returns no logits for such images.</exception>
    public static LoadedModel Load(string path, IReadOnlyList<long> imageShape, Normalization? normalization = null, string? output = null)
    {
        ArgumentNullException.ThrowIfNull(imageShape);
        return Load(path, new TorchScriptRequest { ImageShape = imageShape, Output = output }, normalization);
    }

    /// <summary>Loads a TorchScript file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="request">The images and outputs.</param>
    /// <param name="normalization">The preprocessing; null for <see cref="NoNormalization"/>.</param>
    /// <param name="traits">The traits of the network, determined in another process; null to determine them here.</param>
    /// <param name="device">The device of the passes and of the model; null for the CPU.</param>
    /// <exception cref="BadInputException">Thrown when the file is not TorchScript or is damaged, or its network is quantized or returns no logits for such images.</exception>
    internal static LoadedModel Load(string path, TorchScriptRequest request, Normalization? normalization, TorchScriptTraits? traits = null, Device? device = null)
    {
        var hasMode = TorchScriptArchive.Check(path);
        var network = Open(path);
        try
        {
            // A network without modes reports the training mode.
            var training = hasMode && network.IsTraining;
            network.eval();
            network.to(device ?? CPU);
            network.Traits = traits ?? new TorchScriptProbe(network, path, request, device ?? CPU).Run();
            var name = network.GetName();
            string[] mode = training ? [$"{name} was saved in training mode and is run in evaluation mode; if it was traced in training mode, its dropout and batch normalisation cannot be switched and the results are meaningless, so call model.eval() before it is saved."] : [];
            return new(name, network, network.Traits.ClassCount, normalization ?? NoNormalization) { Warnings = [.. mode, .. network.Traits.Warnings] };
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static TorchScriptNetwork Open(string path)
    {
        string? extended = null;
        try
        {
            extended = TorchScriptOutputs.Extend(path);
            return new(Path.GetFileName(path), jit.load(extended ?? path, DeviceType.CPU), extended is not null);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            throw new BadInputException($"{path} cannot be loaded as TorchScript ({TorchScriptError.Reason(exception)}); save it again with torch.jit.script(model).save(…).", exception);
        }
        finally
        {
            if (extended is not null)
            {
                File.Delete(extended);
            }
        }
    }
}
