using System.Globalization;

namespace Brink.Cli.Reproduce;

/// <summary>The rows of a table that counts accuracy step by step, and what the accuracies cost in seconds.</summary>
internal static class StepTableText
{
    private const string Nothing = "–";

    // In per cent, from where both orders still have most images before them to where hardly any is left.
    private static readonly double[] Targets = [50, 30, 20, 10, 5, 2, 1];

    /// <summary>A row for the paper and one for ours, first and second order; headings first.</summary>
    public static string[][] Accuracies(IReadOnlyList<ReproducedRow> rows)
    {
        var steps = rows.Max(row => row.PaperAccuracies?.Count ?? 0);
        var cells = new List<string[]> { (string[])["network", "attack", "", .. Enumerable.Range(1, steps).Select(Text), "products a step", "ms a step", "× first"] };
        foreach (var row in rows)
        {
            if (row.PaperAccuracies is { } paper)
            {
                cells.Add([row.Network, row.Attack, "paper", .. paper.Select(accuracy => Text(accuracy)), Nothing, Nothing, Nothing]);
            }

            if (row.OurSteps is { } ours)
            {
                var first = rows.FirstOrDefault(other => other.Network == row.Network)?.OurSteps?.SecondsPerStep;
                cells.Add([row.Network, row.Attack, "ours", .. ours.Accuracies.Select(accuracy => Text(accuracy)), Text(ours.ProductsPerStep), Text(ours.SecondsPerStep * 1000), first is { } one ? Text(ours.SecondsPerStep / one) : Nothing]);
            }
        }

        return [.. cells];
    }

    /// <summary>How many milliseconds an image it takes until the accuracy is below a target; headings first, and nothing more where nothing was measured.</summary>
    public static string[][] Times(IReadOnlyList<ReproducedRow> rows)
    {
        var cells = rows.Where(row => row.OurSteps is not null).Select(row => (string[])
        [
            row.Network,
            row.Attack,
            .. Targets.Select(target => row.OurSteps!.SecondsUntilBelow(target) is { } seconds ? Text(seconds * 1000) : Nothing),
        ]);
        return [["network", "ms an image until accuracy is below", .. Targets.Select(target => $"{Text(target)} %")], .. cells];
    }

    private static string Text(IFormattable number) => number.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
