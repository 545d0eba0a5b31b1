using System.Globalization;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;

namespace Brink.Reports.Pages;

/// <summary>Renders the results by class and the confusion after the attack.</summary>
/// <param name="run">The run.</param>
internal sealed class ClassTables(ReportedRun run)
{
    /// <summary>The maximum number of classes or pairs of classes in a table.</summary>
    /// <value>20, the number of columns that fit the width of a page.</value>
    private const int MostClasses = 20;

    private const int LongestHeading = 20;

    /// <summary>Renders both tables.</summary>
    /// <returns>The HTML, empty if no image was attacked.</returns>
    public Html Render() => run.Attacked.Count == 0 ? Html.Empty : Html.Of($"""
        <div class="columns">
        <section><h3>Results by class</h3>{Robustness()}</section>
        <section><h3>Confusion after the attack</h3>{Confusion()}</section>
        </div>
        """);

    private Html Robustness()
    {
        var classes = run.Images.GroupBy(image => image.Label)
            .Select(group => (Label: group.Key, Images: group.ToArray(), Median: Distribution.Of(group.Where(image => image.Fooled).Select(run.Length)).Median))
            .OrderBy(entry => entry.Median ?? double.PositiveInfinity).ThenBy(entry => entry.Label).ToArray();
        var shown = classes.Take(MostClasses).ToArray();
        var longest = shown.Max(entry => entry.Median) ?? 0;
        return Html.Of($"""
            <p class="note">Sorted by the median {Norm.Parse(run.Summary.Norm).DisplayName} length of the perturbation over the fooled images, the shortest first{(run.Epsilon is { } epsilon ? $"; the attack tried lengths up to ε = {NumberText.Length(epsilon)} and did not search for the smallest" : "")}.{(classes.Length > shown.Length ? $" {NumberText.Count(shown.Length)} of {NumberText.Count(classes.Length)} classes." : "")}</p>
            <div class="scroll"><table class="numbers"><thead><tr><th scope="col">class</th><th scope="col">median</th><th scope="col">fooled</th><th scope="col">attacked</th><th scope="col">images</th></tr></thead><tbody>
            {shown.Select(Row)}
            </tbody></table></div>
            """);

        Html Row((long Label, SavedImage[] Images, double? Median) entry)
        {
            var width = entry.Median is { } median && longest > 0 ? (100 * median / longest).ToString("F1", CultureInfo.InvariantCulture) : "0";
            return Html.Of($"""
                <tr><th scope="row">{run.ClassName(entry.Label)}</th><td class="share" style="--share:{width}%">{NumberText.Length(entry.Median)}</td><td>{NumberText.Count(entry.Images.Count(image => image.Fooled))}</td><td>{NumberText.Count(entry.Images.Count(image => image.Attacked))}</td><td>{NumberText.Count(entry.Images.Length)}</td></tr>
                """);
        }
    }

    private Html Confusion()
    {
        var pairs = run.Attacked.CountBy(image => (image.Label, image.PredictionAfter)).ToDictionary();
        var classes = pairs.Keys.SelectMany(pair => new[] { pair.Label, pair.PredictionAfter }).Distinct().Order().ToArray();
        return classes.Length <= MostClasses ? Matrix(pairs, classes) : List(pairs);
    }

    private Html Matrix(Dictionary<(long Label, long After), int> pairs, long[] classes)
    {
        var most = pairs.Values.Max();
        var rows = classes.Where(label => pairs.Keys.Any(pair => pair.Label == label));
        return Html.Of($"""
            <p class="note">Rows are labels and columns are predictions after the attack, over the attacked images. The diagonal counts images that are still classified correctly.</p>
            <div class="scroll"><table class="matrix"><thead><tr><td></td>{classes.Select(after => Html.Of($"""<th scope="col"><span>{run.ClassName(after, LongestHeading)}</span></th>"""))}</tr></thead><tbody>
            {rows.Select(label => Html.Of($"""<tr><th scope="row">{run.ClassName(label, LongestHeading)}</th>{classes.Select(after => Cell(label, after))}</tr>"""))}
            </tbody></table></div>
            """);

        Html Cell(long label, long after)
        {
            var count = pairs.GetValueOrDefault((label, after));
            var alpha = (0.65 * Math.Sqrt((double)count / most)).ToString("F2", CultureInfo.InvariantCulture);
            return count == 0 ? Html.Of($"""<td{(label == after ? new Html(" class=\"diagonal\"") : null)}></td>""") : Html.Of($"""<td style="background:rgba(0,114,178,{alpha})">{NumberText.Count(count)}</td>""");
        }
    }

    private Html List(Dictionary<(long Label, long After), int> pairs)
    {
        var shown = pairs.Where(pair => pair.Key.Label != pair.Key.After).OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key).Take(MostClasses).ToArray();
        return Html.Of($"""
            <p class="note">The {NumberText.Count(shown.Length)} most frequent of {NumberText.Count(pairs.Keys.Count(pair => pair.Label != pair.After))} pairs of label and prediction after the attack.</p>
            <div class="scroll"><table class="numbers"><thead><tr><th scope="col">label</th><th scope="col" class="word">prediction</th><th scope="col">images</th></tr></thead><tbody>
            {shown.Select(pair => Html.Of($"""<tr><th scope="row">{run.ClassName(pair.Key.Label)}</th><td class="word">{run.ClassName(pair.Key.After)}</td><td>{NumberText.Count(pair.Value)}</td></tr>"""))}
            </tbody></table></div>
            """);
    }
}
