namespace Brink.Models;

/// <summary>The file that is being read, for error messages.</summary>
/// <param name="Name">The path or the name of the stream.</param>
/// <param name="Format">The expected format, with its article.</param>
/// <param name="Remedy">The advice at the end of a message.</param>
internal sealed record CheckpointSource(string Name, string Format, string Remedy)
{
    /// <summary>Creates the source of a safetensors file.</summary>
    public static CheckpointSource Safetensors(string name) =>
        new(name, "a safetensors file", "download it again, or save it again with safetensors.torch.save_file(model.state_dict(), …)");

    /// <summary>Creates the source of a PyTorch checkpoint.</summary>
    public static CheckpointSource PyTorch(string name) =>
        new(name, "a PyTorch checkpoint", "download it again, or save it again with torch.save(model.state_dict(), …)");

    /// <summary>Creates the source of a file of TorchSharp's <c>module.save</c>.</summary>
    public static CheckpointSource TorchSharp(string name) =>
        new(name, "a file of TorchSharp's module.save", "copy it again, or save it again with module.save(…)");

    /// <summary>Creates the exception for content that cannot be read.</summary>
    /// <param name="reason">The expected and the actual content, as a clause without a full stop.</param>
    /// <param name="cause">The underlying exception, if any.</param>
    /// <returns>The exception, to be thrown.</returns>
    public BadInputException Refuse(string reason, Exception? cause = null) => new($"{Name} cannot be read as {Format}: {reason}; {Remedy}.", cause);
}
