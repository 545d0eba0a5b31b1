using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Reports.Figures;
using Brink.Reports.Pictures;
using SkiaSharp;
using static TorchSharp.torch;

namespace Brink.Reports.Pages;

/// <summary>Renders several runs: a comparison if they attack the same model and images in one norm and space, otherwise a list.</summary>
/// <param name="runs">The runs, at least two.</param>
internal sealed class ComparisonSection(IReadOnlyList<ReportedRun> runs)
{
    private readonly IReadOnlyList<string> _labels = RunLabels.Of(runs);

    /// <summary>Renders the section.</summary>
    /// <returns>The HTML.</returns>
    public Html Render()
    {
        var reason = Difference();
        return reason is not null
            ? Html.Of($"""<section><h2>Runs</h2><p class="note">These runs are listed and not compared: {reason}.</p>{Listing()}</section>""")
            : Compared();
    }

    /// <summary>Returns the reason why the runs cannot be compared, or null if they can.</summary>
    private string? Difference()
    {
        string Weights(ReportedRun run) => $"{run.Summary.Options.GetValueOrDefault("weights")}";
        var first = runs[0];
        return runs.Any(run => run.Summary.Model != first.Summary.Model || Weights(run) != Weights(first)) ? "they attack different models"
            : runs.Any(run => !run.Images.Select(image => (image.Index, image.Label)).SequenceEqual(first.Images.Select(image => (image.Index, image.Label)))) ? "they attack different images"
            : runs.Any(run => run.Summary.Norm != first.Summary.Norm) ? "they use different norms"
            : runs.Any(run => run.Summary.Space != first.Summary.Space) ? "they measure lengths in different spaces"
            : runs.Select(run => Goal.Key(run.Summary.Criterion, run.Summary.Target, run.Summary.Options)).Distinct(StringComparer.Ordinal).Count() > 1 ? "they use different criteria for fooled images"
            : null;
    }

    private Html Listing() => Html.Of($"""
        <div class="scroll"><table class="numbers"><thead><tr><th scope="col">run</th><th scope="col" class="word">model</th><th scope="col" class="word">images</th><th scope="col">norm</th><th scope="col">fooled</th><th scope="col">relative median</th></tr></thead><tbody>
        {runs.Select((run, number) => Html.Of($"""<tr><th scope="row">{_labels[number]}</th><td class="word">{run.Summary.Model}</td><td class="word">{run.Summary.Data}</td><td>{Norm.Parse(run.Summary.Norm).DisplayName}</td><td>{NumberText.Count(run.Summary.Fooled)} of {NumberText.Count(run.Summary.Attacked)}</td><td>{NumberText.Percent(run.Epsilon is null ? run.Summary.RelativePerturbation.Median : null)}</td></tr>"""))}
        </tbody></table></div>
        """);

    private Html Compared()
    {
        var comparison = Comparison.Of([.. runs.Select((run, number) => run.Compared(_labels[number]))], runs.Count, runs.SelectMany(run => run.Summary.RobustAccuracy).Select(entry => entry.Epsilon));
        var timed = comparison.Attacks.Any(attack => attack.SpeedUpOverCw is not null);
        var norm = Norm.Parse(comparison.Norm).DisplayName;
        var kind = comparison.ComparedKind;
        var figure = TimeAgainstPerturbation.Of(comparison)?.ToInlineSvg("compared");
        return Html.Of($"""
            <section><h2>Comparison of the attacks</h2>
            {Verdict(comparison)}
            {Worst(comparison, comparison.WorstCase!)}
            <p class="note">{NumberText.Count(comparison.Attacked)} images attacked, {NumberText.Count(comparison.FooledByAll)} fooled by every {kind}attack. Relative {norm} perturbation ({(comparison.Space == "pixel" ? "pixels in [0, 1]" : "normalised input")}): mean and worst over the images that all {kind}attacks fooled, median over all attacked images, those not fooled counted as infinite.{(kind.Length > 0 ? " Attacks with a given ε did not search for the smallest lengths and have none here." : "")}</p>
            <div class="scroll"><table class="numbers"><thead><tr><th scope="col">attack</th><th scope="col">fooled</th><th scope="col">mean</th><th scope="col">median</th><th scope="col">worst</th><th scope="col">forward</th><th scope="col">backward</th><th scope="col">time per image</th>{(timed ? new Html("<th scope=\"col\">× cw</th>") : null)}</tr></thead><tbody>
            {comparison.Attacks.Select(Row)}
            </tbody></table></div>
            {(comparison.Warnings.Count == 0 ? null : Html.Of($"""<aside class="warnings"><ul>{comparison.Warnings.Select(warning => Html.Of($"<li>{warning}</li>"))}</ul></aside>"""))}
            {(figure is null ? null : Html.Of($"""{new Html(figure)}<p class="note">Time per image and mean perturbation over the images that all {kind}attacks fooled. Lower left is better.</p>"""))}
            {new ComparedImages(runs, _labels).Render()}
            </section>
            """);

        Html Row(ComparedAttack attack) => Html.Of($"""
            <tr><th scope="row">{attack.Attack}</th><td>{NumberText.Count(attack.Fooled)}{(attack.BelowThreshold ? "*" : "")}</td><td>{NumberText.Percent(attack.RelativePerturbation.Mean)}</td><td>{(attack.RelativePerturbation.Median is null && comparison.Attacked > 0 && attack.Epsilon is null ? "∞" : NumberText.Percent(attack.RelativePerturbation.Median))}</td><td>{NumberText.Percent(attack.RelativePerturbation.Worst)}</td><td>{NumberText.Passes(attack.ForwardsPerImage)}</td><td>{NumberText.Passes(attack.BackwardsPerImage)}</td><td>{NumberText.Time(attack.SecondsPerImage)}</td>{(timed ? Html.Of($"<td>{NumberText.Length(attack.SpeedUpOverCw)}</td>") : null)}</tr>
            """);
    }

    /// <summary>Renders the worst case over the attacks.</summary>
    private static Html Worst(Comparison comparison, WorstCase worst)
    {
        static string Interval(AccuracyInterval interval) => $"{NumberText.Count(interval.Correct)} of {NumberText.Count(interval.Images)}, 95 % interval {NumberText.Accuracy(interval.Lower)} to {NumberText.Accuracy(interval.Upper)}";
        static Html Row(string label, string value, string note) => Html.Of($"""<tr><th scope="row">{label}</th><td>{value}</td><td class="word">{note}</td></tr>""");
        var norm = Norm.Parse(comparison.Norm).DisplayName;
        return Html.Of($"""
            <h3>Worst case over the attacks</h3>
            <p class="note">An image counts as fooled up to a length if any of the attacks fooled it within that length. This is the result to report as robustness; it is an upper bound, since another attack can only lower it.</p>
            <div class="scroll"><table class="numbers narrow"><tbody>
            {Row("accuracy before the attacks", NumberText.Accuracy(worst.AccuracyBefore), Interval(worst.AccuracyBeforeInterval))}
            {Row("accuracy after all attacks", NumberText.Accuracy(worst.AccuracyAfter), Interval(worst.AccuracyAfterInterval))}
            {(worst.Unattacked.Total > 0 ? Row($"unattacked: no {comparison.ComparedKind}attack could work", NumberText.Count(worst.Unattacked.Total), worst.Unattacked.Counts) : null)}
            {(comparison.Attacks.Any(attack => attack.Epsilon is null) ? Row($"median {norm} length", worst.MedianLength is null && comparison.Attacked > 0 ? "∞" : NumberText.Length(worst.MedianLength), "over the attacked images, those not fooled counted as infinite") : null)}
            {worst.RobustAccuracy.Select(Accuracy)}
            </tbody></table></div>
            <h3>Attacks</h3>
            """);

        Html Accuracy(WorstAccuracy entry)
        {
            var without = comparison.Attacks.Select(attack => attack.Attack).Except(entry.Attacks, StringComparer.Ordinal).ToArray();
            return Row($"accuracy within {norm} {NumberText.Length(entry.Epsilon)}, at most", NumberText.Accuracy(entry.Accuracy), $"{Interval(entry.Interval)}{(without.Length > 0 ? $"; without {string.Join(", ", without)}, whose ε is larger" : "")}");
        }
    }

    private static Html Verdict(Comparison comparison)
    {
        var best = comparison.Attacks.Where(attack => attack.RelativePerturbation.Median is not null).MinBy(attack => attack.RelativePerturbation.Median);
        return best is null
            ? comparison.Attacks.All(attack => attack.Epsilon is not null) ? Html.Empty : Html.Of($"""<p class="verdict">No {comparison.ComparedKind}attack fooled half of the attacked images.</p>""")
            : Html.Of($"""<p class="verdict"><strong>{best.Attack}</strong> found the smallest changes: for half of the {NumberText.Count(comparison.Attacked)} attacked images, a change of at most <strong>{NumberText.Percent(best.RelativePerturbation.Median)}</strong> of the length of the image is enough.</p>""");
    }
}

/// <summary>Renders images that all attacks fooled, with the adversarial image and the perturbation of each attack.</summary>
/// <param name="runs">The runs, over the same images.</param>
/// <param name="labels">The label of each run.</param>
internal sealed class ComparedImages(IReadOnlyList<ReportedRun> runs, IReadOnlyList<string> labels)
{
    // With more runs the pictures alone would take more than the 3 MB that a report may have.
    private const int MostRuns = 8;

    /// <summary>Renders the images with the shortest, the median and the longest perturbation.</summary>
    /// <returns>The HTML, empty if no image was fooled by all attacks.</returns>
    public Html Render()
    {
        var shown = runs.Take(MostRuns).ToArray();
        // Lengths of a budgeted attack are all close to its ε and give no order.
        var first = Math.Max(0, Array.FindIndex(shown, run => run.Epsilon is null));
        var byIndex = shown.Select(run => run.Fooled.ToDictionary(image => image.Index)).ToArray();
        var common = shown[first].Fooled.Where(image => byIndex.All(fooled => fooled.ContainsKey(image.Index)))
            .OrderBy(shown[first].Length).ThenBy(image => image.Index).ToArray();
        if (common.Length == 0)
        {
            return Html.Empty;
        }

        var chosen = new[] { 0, common.Length / 2, common.Length - 1 }.Distinct().Select(position => common[position]);
        return Html.Of($"""
            <h3>Examples</h3>
            <p class="note">The images for which {labels[first]} found the shortest, the median and the longest perturbation. Below each adversarial image is its perturbation, first on a scale that is common to all attacks, then on its own scale.{(shown.Length < runs.Count ? $" Only the first {MostRuns} runs are shown." : "")}</p>
            {chosen.Select(image => Example(shown, [.. byIndex.Select(fooled => fooled[image.Index])]))}
            """);
    }

    private Html Example(ReportedRun[] shown, SavedImage[] images)
    {
        using var scope = NewDisposeScope();
        var pixels = shown.Select((run, number) => run.Pixels(images[number])).ToArray();
        var strengths = pixels.Select((pair, number) => PixelPicture.Strengths(pair.Adversarial - pair.Original, shown[number].Norm)).ToArray();
        var scales = strengths.Select(strength => (double)strength.max().item<float>()).ToArray();
        using var original = PixelPicture.Of(pixels[0].Original);
        var label = shown[0].ClassName(images[0].Label);
        return Html.Of($"""
            <div class="compared"><figure><div>{Gallery.Picture(original, $"Image {images[0].Index}, {label}")}</div><figcaption><b>{label}</b><br><span class="quiet">image {images[0].Index}</span></figcaption></figure>
            {shown.Select((_, number) => Attacked(number))}</div>
            """);

        Html Attacked(int number)
        {
            var (run, image) = (shown[number], images[number]);
            using SKBitmap adversarial = PixelPicture.Of(pixels[number].Adversarial), shared = PixelPicture.OfStrengths(strengths[number], scales.Max()), own = PixelPicture.OfStrengths(strengths[number], scales[number]);
            var prediction = run.ClassName(image.PredictionAfter);
            return Html.Of($"""
                <figure><div>{Gallery.Picture(adversarial, $"Adversarial image of {labels[number]}, classified as {prediction}")}{Gallery.Picture(shared, "Perturbation on the common scale")}{Gallery.Picture(own, "Perturbation on its own scale")}</div><figcaption><b>{prediction}</b><br><span class="quiet">{labels[number]}<br>{run.Lengths(image)}</span></figcaption></figure>
                """);
        }
    }
}
