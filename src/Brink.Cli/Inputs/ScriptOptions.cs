using System.CommandLine;
using Brink.Data;
using Brink.Models;
using TorchSharp;

namespace Brink.Cli.Inputs;

/// <summary>The flags of TorchScript files, which are tried in another process before they are loaded.</summary>
internal sealed class ScriptOptions
{
    public Option<string?> Output { get; } = new("--output") { Description = "The key or index of the output with the logits, for a TorchScript network that returns several tensors. [default: the one that fits the classes of the images]", HelpName = "NAME" };

    public Option<bool> TrustModel { get; } = new("--trust-model") { Description = "Load a TorchScript file without trying it in another process first; if its code fails, it can end the command, take all memory or never return." };

    public Option<int> TrialSeconds { get; } = new("--trial-seconds") { CustomParser = argument => WholeNumber.Parse<int>(argument) ?? 0, Description = "The longest time in seconds that the trial of a TorchScript file may take.", DefaultValueFactory = _ => 15, HelpName = "N" };

    public Option<long?> TrialMemory { get; } = new("--trial-memory") { CustomParser = MemorySize.Parse, Description = "The largest memory that the trial of a TorchScript file may take: 500M or 6G. [default: 3G and twice the size of the file]", HelpName = "SIZE" };

    public IEnumerable<Option> All => [Output, TrustModel, TrialSeconds, TrialMemory];

    /// <summary>Determines whether the value of <c>--model</c> is a file. No name in the catalogue contains a dot or a slash.</summary>
    public static bool IsFile(string model) => Path.GetExtension(model).Length > 0 || model.Contains('/', StringComparison.Ordinal) || model.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>Tries a TorchScript file in another process, unless the user trusts it, and loads it.</summary>
    /// <param name="parsed">The parsed command line.</param>
    /// <param name="file">The file as given by the user.</param>
    /// <param name="request">The images and outputs.</param>
    /// <param name="preprocessing">The preprocessing; null for none.</param>
    /// <param name="device">The device of the model.</param>
    /// <param name="cancellationToken">Cancels the trial.</param>
    /// <returns>The model on the device; the caller disposes it.</returns>
    /// <exception cref="BadInputException">The file cannot be used.</exception>
    public LoadedModel Load(ParseResult parsed, string file, TorchScriptRequest request, Normalization? preprocessing, torch.Device device, CancellationToken cancellationToken)
    {
        var path = DataLocations.Resolve(file);
        var traits = parsed.GetValue(TrustModel) ? null : ModelTrial.Run(new(path, request, ComputeDevice.Name(device), torch.get_num_threads()), parsed.GetValue(TrialSeconds), parsed.GetValue(TrialMemory), cancellationToken);
        return TorchScriptModel.Load(path, request, preprocessing, traits, device);
    }
}
