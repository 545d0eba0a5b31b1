using Brink.Evaluation.Results;
using Brink.Reports.Figures;

namespace Brink.Reports.Pages;

/// <summary>Several runs beside each other: a comparison where they are of the same network and images and in one norm, else a list.</summary>
/// <param name="runs">The runs, at least two.</param>
internal sealed class ComparisonSection(IReadOnlyList<ReportedRun> runs)
{
    private readonly IReadOnlyList<string> _labels = RunLabels.Of(runs);

    /// <summary>The section.</summary>
    public Html Render()
    {
        var reason = WhyNotComparable();
        return reason is not null
            ? Html.Of($"""<section><h2>The runs</h2><p class="note">These runs are listed, not compared: {reason}.</p>{Listing()}</section>""")
            : Compared();
    }

    private string? WhyNotComparable()
    {
        string Weights(ReportedRun run) => $"{run.Summary.Options.GetValueOrDefault("weights")}";
        var first = runs[0];
        return runs.Any(run => run.Summary.Model != first.Summary.Model || Weights(run) != Weights(first)) ? "they are of different networks"
            : runs.Any(run => !run.Images.Select(image => (image.Index, image.Label)).SequenceEqual(first.Images.Select(image => (image.Index, image.Label)))) ? "they are of different images"
            : runs.Any(run => run.Summary.Norm != first.Summary.Norm) ? "they keep different norms small"
            : runs.Any(run => run.Summary.Space != first.Summary.Space) ? "they measure lengths in different spaces"
            : runs.Any(run => run.Summary.Criterion != first.Summary.Criterion || (run.Summary.Criterion == "target-class" && run.Summary.Target != first.Summary.Target)) ? "they count different images as fooled"
            : null;
    }

    private Html Listing() => Html.Of($"""
        <div class="scroll"><table class="numbers"><thead><tr><th scope="col">run</th><th scope="col" class="word">network</th><th scope="col" class="word">images</th><th scope="col">norm</th><th scope="col">fooled</th><th scope="col">median, relative</th></tr></thead><tbody>
        {runs.Select((run, number) => Html.Of($"""<tr><th scope="row">{_labels[number]}</th><td class="word">{run.Summary.Model}</td><td class="word">{run.Summary.Data}</td><td>{Norm.Parse(run.Summary.Norm).DisplayName}</td><td>{Printed.Count(run.Summary.Fooled)} of {Printed.Count(run.Summary.Attacked)}</td><td>{Printed.Percent(run.Summary.RelativePerturbation.Median)}</td></tr>"""))}
        </tbody></table></div>
        """);

    private Html Compared()
    {
        var comparison = Comparison.Of([.. runs.Select((run, number) => new ComparedRun(_labels[number], run.Folder, Describe(run.Summary), run.Compared(), run.Summary.Seconds))], runs.Count);
        var timed = comparison.Attacks.Any(attack => attack.SpeedUpOverCw is not null);
        var norm = Norm.Parse(comparison.Norm).DisplayName;
        var figure = TimeAgainstPerturbation.Of(comparison)?.ToInlineSvg("compared");
        return Html.Of($"""
            <section><h2>The attacks compared</h2>
            {Verdict(comparison)}
            <p class="note">{Printed.Count(comparison.Attacked)} images attacked, {Printed.Count(comparison.FooledByAll)} fooled by every attack. Relative {norm} change ({(comparison.Space == "pixel" ? "pixels from 0 to 1" : "normalised input")}): mean and worst over the images that all attacks fooled, median over all that were attacked, those not fooled counted as infinite.</p>
            <div class="scroll"><table class="numbers"><thead><tr><th scope="col">attack</th><th scope="col">fooled</th><th scope="col">mean</th><th scope="col">median</th><th scope="col">worst</th><th scope="col">forward</th><th scope="col">backward</th><th scope="col">time an image</th>{(timed ? new Html("<th scope=\"col\">× cw</th>") : null)}</tr></thead><tbody>
            {comparison.Attacks.Select(Row)}
            </tbody></table></div>
            {(comparison.Warnings.Count == 0 ? null : Html.Of($"""<aside class="warnings"><ul>{comparison.Warnings.Select(warning => Html.Of($"<li>{warning}</li>"))}</ul></aside>"""))}
            {(figure is null ? null : Html.Of($"""{new Html(figure)}<p class="note">Time an image against the mean change over the images that all attacks fooled; the lower left corner is where an attack wants to be.</p>"""))}
            {new ComparedImages(runs, _labels).Render()}
            </section>
            """);

        Html Row(ComparedAttack attack) => Html.Of($"""
            <tr><th scope="row">{attack.Attack}</th><td>{Printed.Count(attack.Fooled)}{(attack.BelowBar ? "*" : "")}</td><td>{Printed.Percent(attack.RelativePerturbation.Mean)}</td><td>{(attack.RelativePerturbation.Median is null && comparison.Attacked > 0 ? "∞" : Printed.Percent(attack.RelativePerturbation.Median))}</td><td>{Printed.Percent(attack.RelativePerturbation.Worst)}</td><td>{Printed.Passes(attack.ForwardsPerImage)}</td><td>{Printed.Passes(attack.BackwardsPerImage)}</td><td>{Printed.Time(attack.SecondsPerImage)}</td>{(timed ? Html.Of($"<td>{Printed.Length(attack.SpeedUpOverCw)}</td>") : null)}</tr>
            """);
    }

    private static Html Verdict(Comparison comparison)
    {
        var best = comparison.Attacks.Where(attack => attack.RelativePerturbation.Median is not null).MinBy(attack => attack.RelativePerturbation.Median);
        return best is null
            ? Html.Of($"""<p class="verdict">None of the attacks made the network wrong on half of the images it gets right.</p>""")
            : Html.Of($"""<p class="verdict">The smallest changes came from <strong>{best.Attack}</strong>: on half of the {Printed.Count(comparison.Attacked)} images that the network gets right, at most <strong>{Printed.Percent(best.RelativePerturbation.Median)}</strong> of the image’s length makes it wrong.</p>""");
    }

    private static RunDescription Describe(AttackSummary summary) => new()
    {
        Attack = summary.Attack,
        Norm = summary.Norm,
        Space = summary.Space,
        Target = summary.Target,
        Criterion = summary.Criterion,
        Model = summary.Model,
        Data = summary.Data,
        Seed = summary.Seed,
        Options = summary.Options,
    };
}
