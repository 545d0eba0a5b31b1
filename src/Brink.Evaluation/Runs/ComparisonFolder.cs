using System.Text;
using System.Text.Json;
using Brink.Data;
using Brink.Evaluation.Results;

namespace Brink.Evaluation.Runs;

/// <summary>Writes and reads the folder of a comparison: <c>comparison.json</c>, the figures as SVG and PNG, <c>envelope.json</c>, and a run folder for each attack.</summary>
internal static class ComparisonFolder
{
    private const string Numbers = "comparison.json";

    // The names of the figures without extension: time against perturbation, and local optimality against passes.
    private const string Times = "comparison";
    private const string Optimality = "optimality";

    /// <summary>Serialises a comparison as in <c>comparison.json</c>.</summary>
    /// <param name="comparison">The comparison.</param>
    /// <returns>The JSON text.</returns>
    public static string ToJson(Comparison comparison) => JsonSerializer.Serialize(comparison, ResultFolder.JsonOptions);

    /// <summary>Replaces every folder of a comparison in a list by its run folders.</summary>
    /// <param name="folders">Run folders or folders of comparisons.</param>
    /// <returns>Run folders only; those of a comparison in the order of its attacks.</returns>
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
            var content = RegularFile.Read(Path.Combine(folder, Numbers), ResultFolder.LongestJson);
            var comparison = content.Length > 0 ? JsonSerializer.Deserialize<Comparison>(content, ResultFolder.JsonOptions) : throw new JsonException($"{Numbers} is empty, or a pipe or a device");
            // A path from a root might lead to another computer.
            return comparison?.Attacks is { Count: > 0 } attacks && attacks.All(attack => attack?.Folder is not null && !Path.IsPathRooted(attack.Folder))
                ? [.. attacks.Select(attack => Path.Combine(folder, attack.Folder))]
                : throw new JsonException("it lists no attacks in relative folders");
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"The comparison in {folder} cannot be read ({Excerpt.Reason(exception)}); give the folders of its runs, or write it again with brink compare --out.", exception);
        }
    }

    /// <summary>Removes the files of an older comparison, but not the run folders of its attacks.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="BadInputException">A file cannot be removed.</exception>
    private static void RemoveOlder(string folder)
    {
        try
        {
            foreach (var name in new[] { Numbers, Drawing(Times), Picture(Times), Drawing(Optimality), Picture(Optimality), EnvelopeFile.Name, ResultFolder.Report })
            {
                File.Delete(Path.Combine(folder, name));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"An older comparison in {folder} could not be removed ({Excerpt.Reason(exception)}); choose another folder.", exception);
        }
    }

    /// <summary>Writes the files of a comparison, <c>comparison.json</c> last.</summary>
    /// <param name="folder">The folder of the comparison.</param>
    /// <param name="comparison">The comparison.</param>
    /// <param name="times">The figure of time against perturbation as SVG and as PNG, or null if there is no point to draw.</param>
    /// <param name="optimality">The figure of local optimality against passes as SVG and as PNG, or null if there is no point to draw.</param>
    /// <param name="envelope">The text of the envelope file, or null if no attack has such lengths.</param>
    /// <returns>The names of the written files.</returns>
    /// <exception cref="BadInputException">A file cannot be written.</exception>
    public static IReadOnlyList<string> Write(string folder, Comparison comparison, (string Svg, byte[] Png)? times, (string Svg, byte[] Png)? optimality, string? envelope)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(comparison);
        var files = new List<(string Name, byte[] Content)>();
        foreach (var (name, figure) in new[] { (Times, times), (Optimality, optimality) })
        {
            if (figure is { } drawn)
            {
                files.Add((Drawing(name), Encoding.UTF8.GetBytes(drawn.Svg)));
                files.Add((Picture(name), drawn.Png));
            }
        }

        if (envelope is not null)
        {
            files.Add((EnvelopeFile.Name, Encoding.UTF8.GetBytes(envelope)));
        }

        RemoveOlder(folder);
        files.Add((Numbers, Encoding.UTF8.GetBytes(ToJson(comparison))));
        AtomicFile.WriteAll([.. files.Select(file => KeyValuePair.Create<string, Action<Stream>>(Path.Combine(folder, file.Name), stream => stream.Write(file.Content)))]);
        return [.. files.Select(file => file.Name)];
    }

    private static string Drawing(string figure) => $"{figure}.svg";

    private static string Picture(string figure) => $"{figure}.png";
}
