using System.Text.Json;

namespace Brink.Reports;

/// <summary>Labels that distinguish several runs.</summary>
internal static class RunLabels
{
    // What people set. Other settings often follow from these.
    private static readonly string[] Telling = ["target", "refine", "preset", "radius", "epsilon", "objective", "norm", "max-iterations", "seed"];

    /// <summary>What tells the runs apart: the attack, with the settings that differ among the runs of the same attack, else with the folder.</summary>
    public static IReadOnlyList<string> Of(IReadOnlyList<ReportedRun> runs)
    {
        var labels = runs.Select(Label).ToArray();
        return [.. labels.Select((label, number) => labels.Count(other => other == label) == 1 ? label : $"{label} ({Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(runs[number].Folder)))})")];

        string Label(ReportedRun run)
        {
            var same = runs.Where(other => other.Summary.Attack == run.Summary.Attack).ToArray();
            bool TellsApart(string[] keys) => same.Select(other => string.Join('\n', keys.Select(key => Settings(other).GetValueOrDefault(key)))).Distinct(StringComparer.Ordinal).Count() == same.Length;
            var different = same.SelectMany(other => Settings(other).Keys).Distinct(StringComparer.Ordinal)
                .Where(key => same.Select(other => Settings(other).GetValueOrDefault(key)).Distinct(StringComparer.Ordinal).Count() > 1)
                .OrderBy(key => Array.IndexOf(Telling, key) is >= 0 and var place ? place : Telling.Length).ThenBy(key => key, StringComparer.Ordinal).ToArray();
            var keys = different.Where(key => Telling.Contains(key, StringComparer.Ordinal)).ToArray();
            for (var count = keys.Length; !TellsApart(keys) && count < different.Length; count++)
            {
                keys = different[..(count + 1)];
            }

            return keys.Length == 0 ? run.Summary.Attack : $"{run.Summary.Attack}[{string.Join(",", keys.Where(Settings(run).ContainsKey).Select(key => $"{key}={Settings(run)[key]}"))}]";
        }
    }

    private static Dictionary<string, string> Settings(ReportedRun run) =>
        run.Summary.Options.Where(option => option.Value is not JsonElement { ValueKind: JsonValueKind.Array }).Append(new("target", run.Summary.Target)).DistinctBy(option => option.Key, StringComparer.Ordinal)
            .ToDictionary(option => option.Key, option => $"{option.Value}", StringComparer.Ordinal);
}
