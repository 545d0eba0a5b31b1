using System.Text;
using System.Text.Json;
using Brink.Data;
using Brink.Evaluation.Figures;
using Brink.Evaluation.Results;

namespace Brink.Evaluation.Output;

/// <summary>A comparison on disk: <c>comparison.json</c>, its scatter as <c>comparison.svg</c> and <c>comparison.png</c>, and a sub-folder for each attack.</summary>
public static class ComparisonFolder
{
    private const string Numbers = "comparison.json";
    private const string Drawing = "comparison.svg";
    private const string Picture = "comparison.png";

    /// <summary>The comparison as <c>comparison.json</c> holds it.</summary>
    public static string ToJson(Comparison comparison) => JsonSerializer.Serialize(comparison, ResultFolder.JsonOptions);

    /// <summary>Removes an older comparison, once this one has an attack finished: what stands there in the end is of this run. The attacks' sub-folders stay.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="BadInputException">A file cannot be removed.</exception>
    private static void RemoveOlder(string folder)
    {
        try
        {
            foreach (var name in new[] { Numbers, Drawing, Picture })
            {
                File.Delete(Path.Combine(folder, name));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"An older comparison in {folder} could not be removed ({exception.Message.TrimEnd('.')}); choose another folder.", exception);
        }
    }

    /// <summary>Writes the comparison, <c>comparison.json</c> last; no figure where there is no point to draw.</summary>
    /// <returns>The names of the files.</returns>
    /// <exception cref="BadInputException">A file could not be written.</exception>
    public static IReadOnlyList<string> Write(string folder, Comparison comparison)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(comparison);
        var files = new List<(string Name, byte[] Content)>();
        if (TimeAgainstPerturbation.Of(comparison) is { } figure)
        {
            files.Add((Drawing, Encoding.UTF8.GetBytes(figure.ToSvg())));
            files.Add((Picture, figure.ToPng()));
        }

        RemoveOlder(folder);
        files.Add((Numbers, Encoding.UTF8.GetBytes(ToJson(comparison))));
        AtomicFile.WriteAll([.. files.Select(file => KeyValuePair.Create<string, Action<Stream>>(Path.Combine(folder, file.Name), stream => stream.Write(file.Content)))]);
        return [.. files.Select(file => file.Name)];
    }
}
