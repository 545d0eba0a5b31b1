namespace Brink.Models;

/// <summary>What kind of checkpoint a file holds, by its content.</summary>
internal enum CheckpointFormat
{
    /// <summary>None that Brink reads.</summary>
    Unknown,

    /// <summary>A length, a JSON header and raw tensors.</summary>
    Safetensors,

    /// <summary>The zip archive that torch.save writes since PyTorch 1.6, or another zip archive.</summary>
    Zip,

    /// <summary>The chain of pickles that torch.save wrote before, or another pickle.</summary>
    Pickle,
}
