using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Reads the weights in files of <c>torch.save</c> without executing the pickle: the zip format, and the format before PyTorch 1.6.</summary>
/// <remarks>
/// A checkpoint such as {"state_dict": {…}, "epoch": 3} is unwrapped. Types, strides and shared storages are preserved.
/// </remarks>
internal static class PyTorchCheckpoint
{
    /// <summary>Reads the tensors of the state dict in a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The tensors by name, in the order of the file, owned by the caller or its dispose scope. Views of one storage share memory.</returns>
    /// <exception cref="BadInputException">Thrown when the file cannot be read, is not such a checkpoint, or refers to anything other than tensors and plain data.</exception>
    public static IReadOnlyDictionary<string, Tensor> Read(string path) => CheckpointFile.Read(path, stream => Read(stream, path));

    /// <summary>Reads the tensors of the state dict in a stream.</summary>
    /// <param name="stream">A stream that can seek, read from its beginning to its end.</param>
    /// <param name="name">The name of the stream in error messages.</param>
    /// <returns>The tensors by name, in the order of the stream, owned by the caller or its dispose scope.</returns>
    /// <exception cref="BadInputException">Thrown when the stream is not such a checkpoint.</exception>
    /// <exception cref="ArgumentException">Thrown when the stream cannot seek.</exception>
    public static IReadOnlyDictionary<string, Tensor> Read(Stream stream, string name) =>
        Checkpoint.ByName(Read(stream, name, tensors => Checkpoint.OnlyDictionary(tensors, name, key: null)), tensor => tensor.Name);

    /// <summary>Reads selected tensors of a stream, of all dictionaries in it.</summary>
    /// <param name="stream">A stream that can seek, read from its beginning to its end.</param>
    /// <param name="name">The name of the stream in error messages.</param>
    /// <param name="select">The selection.</param>
    /// <returns>The selected tensors, owned by the caller or its dispose scope.</returns>
    /// <exception cref="BadInputException">Thrown when the stream is not such a checkpoint.</exception>
    /// <exception cref="ArgumentException">Thrown when the stream cannot seek.</exception>
    public static IReadOnlyDictionary<StoredTensor, Tensor> Read(Stream stream, string name, TensorSelection select)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanSeek)
        {
            throw new ArgumentException("Reading a checkpoint needs a stream that can seek; copy this one into a MemoryStream.", nameof(stream));
        }

        return FormatDetection.Detect(stream) switch
        {
            CheckpointFormat.Zip => ZipCheckpoint.Read(stream, CheckpointSource.PyTorch(name), select),
            CheckpointFormat.Pickle => LegacyCheckpoint.Read(stream, CheckpointSource.PyTorch(name), select),
            CheckpointFormat.Safetensors => throw new BadInputException($"{name} should be a PyTorch checkpoint, but it is a safetensors file; read it as one."),
            CheckpointFormat.TorchSharp => throw new BadInputException($"{name} should be a PyTorch checkpoint, but it is a file of TorchSharp's module.save; read it as one."),
            _ => throw FormatDetection.Refuse(stream, name),
        };
    }
}
