using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Reads the weights out of what <c>torch.save</c> writes, without running anything: the zip format and the one before PyTorch 1.6.</summary>
/// <remarks>
/// A checkpoint such as {"state_dict": {…}, "epoch": 3} is unwrapped, and a leading <c>module.</c> (from DataParallel) is dropped when
/// every name has it. Types, strides and shared storages stay as they are in the file.
/// </remarks>
public static class PyTorchCheckpoint
{
    /// <summary>Reads the tensors of the state dict in a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The tensors, which the caller (or its dispose scope) owns, in the order of the file. Views of one storage share memory.</returns>
    /// <exception cref="BadInputException">The file cannot be read, is not such a checkpoint, or names anything but tensors and plain data.</exception>
    public static IReadOnlyDictionary<string, Tensor> Read(string path) => CheckpointFile.Read(path, stream => Read(stream, path));

    /// <summary>Reads the tensors of the state dict in a stream.</summary>
    /// <param name="stream">A stream that can seek, read from its beginning to its end.</param>
    /// <param name="name">What to call the stream in an error message.</param>
    /// <returns>The tensors, as <see cref="Read(string)"/> gives them.</returns>
    /// <exception cref="BadInputException">The stream does not hold such a checkpoint.</exception>
    /// <exception cref="ArgumentException">The stream cannot seek.</exception>
    public static IReadOnlyDictionary<string, Tensor> Read(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanSeek)
        {
            throw new ArgumentException("Reading a checkpoint needs a stream that can seek; copy this one into a MemoryStream.", nameof(stream));
        }

        return FormatDetection.Detect(stream) switch
        {
            CheckpointFormat.Zip => ZipCheckpoint.Read(stream, CheckpointSource.PyTorch(name)),
            CheckpointFormat.Pickle => LegacyCheckpoint.Read(stream, CheckpointSource.PyTorch(name)),
            CheckpointFormat.Safetensors => throw new BadInputException($"{name} should be a PyTorch checkpoint, but it is a safetensors file; read it as one."),
            _ => throw FormatDetection.Refuse(stream, name),
        };
    }
}
