using System.Text;
using System.Text.Json;
using Brink.Data;
using Brink.Evaluation.Results;

namespace Brink.Evaluation.Runs;

/// <summary>A comparison on disk: <c>comparison.json</c>, its scatter as <c>comparison.svg</c> and <c>comparison.png</c>, and a sub-folder for each attack.</summary>
public static class ComparisonFolder
{
    private const string Numbers = "comparison.json";
    private const string Drawing = "comparison.svg";
    private const string Picture = "comparison.png";

    /// <summary>The comparison as <c>comparison.json</c> holds it.</summary>
    public static string ToJson(Comparison comparison) => JsonSerializer.Serialize(comparison, ResultFolder.JsonOptions);

    /// <summary>The folders of runs, with the runs of a comparison in the place of its folder, in the order of its list.</summary>
    /// <param name="folders">Folders of runs or of comparisons.</param>
    /// <exception cref="BadInputException">A comparison cannot be read.</exception>
    public static IReadOnlyList<string> Runs(IEnumerable<string> folders)
    {
        ArgumentNullException.ThrowIfNull(folders);
        return [.. folders.SelectMany(folder => File.Exists(Path.Combine(folder, Numbers)) && !File.Exists(Path.Combine(folder, ResultFolder.Summary)) ? Attacks(folder) : [folder])];
    }

    private static string[] Attacks(string folder)
    {
        try
        {
            var comparison = JsonSerializer.Deserialize<Comparison>(File.ReadAllBytes(Path.Combine(folder, Numbers)), ResultFolder.JsonOptions);
            return comparison?.Attacks is { Count: > 0 } attacks && attacks.All(attack => attack?.Folder is not null)
                ? [.. attacks.Select(attack => Path.Combine(folder, Path.GetFileName(attack.Folder)))]
                : throw new JsonException("it lists no attacks");
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"The comparison in {folder} cannot be read ({exception.Message.TrimEnd('.')}); give the folders of its runs, or write it anew with brink compare --out.", exception);
        }
    }

    /// <summary>Removes an older comparison, once this one has an attack finished: what stands there in the end is of this run. The attacks' sub-folders stay.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="BadInputException">A file cannot be removed.</exception>
    private static void RemoveOlder(string folder)
    {
        try
        {
            foreach (var name in new[] { Numbers, Drawing, Picture, ResultFolder.Report })
            {
                File.Delete(Path.Combine(folder, name));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"An older comparison in {folder} could not be removed ({exception.Message.TrimEnd('.')}); choose another folder.", exception);
        }
    }

    /// <summary>Writes the comparison, <c>comparison.json</c> last.</summary>
    /// <param name="folder">The folder of the comparison.</param>
    /// <param name="comparison">The comparison.</param>
    /// <param name="figure">Its scatter plot as SVG and as PNG; null if there is no point to draw.</param>
    /// <returns>The names of the files.</returns>
    /// <exception cref="BadInputException">A file could not be written.</exception>
    public static IReadOnlyList<string> Write(string folder, Comparison comparison, (string Svg, byte[] Png)? figure)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(comparison);
        var files = new List<(string Name, byte[] Content)>();
        if (figure is { } drawn)
        {
            files.Add((Drawing, Encoding.UTF8.GetBytes(drawn.Svg)));
            files.Add((Picture, drawn.Png));
        }

        RemoveOlder(folder);
        files.Add((Numbers, Encoding.UTF8.GetBytes(ToJson(comparison))));
        AtomicFile.WriteAll([.. files.Select(file => KeyValuePair.Create<string, Action<Stream>>(Path.Combine(folder, file.Name), stream => stream.Write(file.Content)))]);
        return [.. files.Select(file => file.Name)];
    }
}
