namespace Brink.Models;

/// <summary>The file a reader is busy with, as its refusals name it.</summary>
/// <param name="Name">The path or the name of the stream.</param>
/// <param name="Format">What it is being read as, with its article.</param>
/// <param name="Remedy">What the user can do about a refusal.</param>
internal sealed record CheckpointSource(string Name, string Format, string Remedy)
{
    public static CheckpointSource Safetensors(string name) =>
        new(name, "a safetensors file", "fetch it again, or write it anew with safetensors.torch.save_file(model.state_dict(), …)");

    public static CheckpointSource PyTorch(string name) =>
        new(name, "a PyTorch checkpoint", "fetch it again, or write it anew with torch.save(model.state_dict(), …)");

    /// <summary>The sentence for the user, to be thrown.</summary>
    /// <param name="reason">What was needed and what was found, as a clause without a full stop.</param>
    /// <param name="cause">The exception underneath, if any.</param>
    public BadInputException Refuse(string reason, Exception? cause = null) => new($"{Name} cannot be read as {Format}: {reason}; {Remedy}.", cause);
}
