using Brink.Data;
using Brink.Models;

namespace Brink.Cli.Inputs;

/// <summary>A network of the catalogue with the weights of a flag such as <c>--weights</c>.</summary>
internal static class NamedModel
{
    /// <summary>Loads a network.</summary>
    /// <param name="name">The name of the network.</param>
    /// <param name="weights">A file, or a file, a colon and a key in it; null for embedded weights.</param>
    /// <param name="preprocessing">The preprocessing; null for the network's usual one.</param>
    /// <returns>The model; the caller disposes it.</returns>
    /// <exception cref="BadInputException">Thrown when there is no network of that name, or its weights are missing or do not fit.</exception>
    public static LoadedModel Load(string name, string? weights, Normalization? preprocessing = null)
    {
        var (file, key) = weights is null ? (null, null) : FileAndKey(weights);
        return ModelCatalog.Load(name, file, preprocessing, key);
    }

    // The longest beginning that is a file, because names and Windows paths can contain colons too.
    private static (string File, string? Key) FileAndKey(string weights)
    {
        for (var colon = weights.Length; colon > 0; colon = weights.LastIndexOf(':', colon - 1))
        {
            var file = DataLocations.Resolve(weights[..colon]);
            if (File.Exists(file))
            {
                return (file, colon == weights.Length ? null : weights[(colon + 1)..]);
            }
        }

        return (DataLocations.Resolve(weights), null);
    }
}
