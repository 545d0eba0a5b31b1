using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Opens networks that PyTorch wrote together with their code: <c>torch.jit.script(model).save(path)</c> or <c>torch.jit.trace</c>.</summary>
/// <remarks>Such a file is a program. Open only what you would run.</remarks>
public static class TorchScriptModel
{
    /// <summary>What a network without <c>--mean</c> and <c>--std</c> is given: pixels in [0, 1] as they are.</summary>
    public static Normalization NoNormalization { get; } = new([0], [1]);

    /// <summary>Loads the network and finds out, by one image of zeros, how many classes it has.</summary>
    /// <param name="path">The file.</param>
    /// <param name="imageShape">The shape of an image, [channels, height, width].</param>
    /// <param name="normalization">The preprocessing the network expects to be done for it; null for none.</param>
    /// <returns>The network in eval mode, on the processor, named for its file; the caller owns it.</returns>
    /// <exception cref="BadInputException">The file is no TorchScript, is damaged, or its network does not make logits of such images.</exception>
    public static LoadedModel Load(string path, IReadOnlyList<long> imageShape, Normalization? normalization = null)
    {
        ArgumentNullException.ThrowIfNull(imageShape);
        TorchScriptArchive.Check(path);
        var name = Path.GetFileName(path);
        TorchScriptNetwork network;
        try
        {
            network = new(name, jit.load<Tensor, Tensor>(path, DeviceType.CPU));
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            throw new BadInputException($"{path} cannot be loaded as TorchScript ({FirstLine(exception)}); write it anew with torch.jit.script(model).save(…).", exception);
        }

        try
        {
            network.eval();
            return new(name, network, ClassCount(network, path, imageShape), normalization ?? NoNormalization);
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
            throw new BadInputException($"The network in {path} should make logits of images of {Excerpt.Shape(imageShape)}, but it failed on one ({FirstLine(exception)}); check that it takes float32 images of this shape and returns one tensor.", exception);
        }

        return logits.dim() == 2 && logits.shape[0] == 1 && logits.shape[1] >= 2
            ? (int)logits.shape[1]
            : throw new BadInputException($"The network in {path} should make logits of shape [1, classes] of one image, at least two classes, but made {Excerpt.Shape(logits.shape)}; wrap it so that it returns them.");
    }

    /// <summary>libtorch tells where in the script something went wrong in many lines; what went wrong is the last.</summary>
    private static string FirstLine(Exception exception) =>
        Excerpt.Plain((exception.Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() ?? exception.GetType().Name).TrimEnd('.'));
}
