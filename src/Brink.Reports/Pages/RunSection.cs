using System.Text.Json;
using Brink.Evaluation.Results;
using Brink.Reports.Figures;

namespace Brink.Reports.Pages;

/// <summary>One run on a page: what was found in a sentence, how, the numbers, the figures, the images.</summary>
/// <param name="run">The run.</param>
/// <param name="name">A name of its own on the page, for its figures.</param>
internal sealed class RunSection(ReportedRun run, string name)
{
    private readonly AttackSummary _summary = run.Summary;

    private string Unit => _summary.Space == "pixel" ? "pixels from 0 to 1" : "normalised input";

    /// <summary>The whole section, without its heading.</summary>
    public Html Render() => Html.Of($"""
        {Verdict()}
        {Tiles()}
        {Warnings()}
        <div class="columns">
        <section><h3>How it was attacked</h3>{Method()}</section>
        <section><h3>In numbers</h3>{Numbers()}</section>
        </div>
        {RobustAccuracy()}
        {Curves()}
        {new Gallery(run).Render()}
        {new ClassTables(run).Render()}
        {Histograms()}
        """);

    /// <summary>A sentence that needs no knowledge of the field.</summary>
    public Html Verdict()
    {
        var right = _summary.Images - _summary.Misclassified;
        var start = Html.Of($"Of {Printed.Count(_summary.Images)} {(_summary.Images == 1 ? "image" : "images")} the network classifies <strong>{Printed.Count(right)}</strong> correctly.");
        if (_summary.Attacked == 0)
        {
            return Html.Of($"""<p class="verdict">{start} None was attacked.</p>""");
        }

        var goal = _summary.Criterion == "target-class" ? Html.Of($"say “{TargetName()}”") : Html.Of($"wrong");
        var skipped = _summary.Skipped > 0 ? Html.Of($" Without the {Printed.Count(_summary.Skipped)} that are of that class already,") : Html.Empty;
        if (_summary.Fooled == 0)
        {
            return Html.Of($"""<p class="verdict">{start}{skipped} {(_summary.Skipped > 0 ? "the" : "The")} attack made <strong>none</strong> of the {Printed.Count(_summary.Attacked)} {goal}. Another attack, or one with more steps, may.</p>""");
        }

        var all = _summary.Fooled == _summary.Attacked;
        var count = all ? Html.Of($"<strong>all {Printed.Count(_summary.Fooled)}</strong>") : Html.Of($"<strong>{Printed.Count(_summary.Fooled)}</strong> of {Printed.Count(_summary.Attacked)}");
        var enough = _summary.Fooled == 1
            ? Html.Of($"It took a change of <strong>{Median("relativePerturbation", _summary.RelativePerturbation)}</strong> of the image’s length")
            : Html.Of($"For half of these a change of at most <strong>{Median("relativePerturbation", _summary.RelativePerturbation)}</strong> of the image’s length is enough");
        return Html.Of($"""
            <p class="verdict">{start}{skipped} {(_summary.Skipped > 0 ? "small" : "Small")} changes make {count} {goal}. {enough}{(_summary.Space == "pixel" ? "" : " as the network sees it")}: typically {Printed.Length(run.MeanLevels)} of {ReportedRun.Levels} brightness levels all over the image, and {Printed.Length(run.LargestLevels)} where it is strongest.</p>
            """);
    }

    private static Html Median(string property, Distribution distribution) => Figure($"{property}.median", Printed.Percent(distribution.Median));

    /// <summary>A number of <c>results.json</c>, marked with where it stands there.</summary>
    private static Html Figure(string property, string text) => Html.Of($"""<span data-json="{property}">{text}</span>""");

    private string TargetName() => long.TryParse(_summary.Target, System.Globalization.CultureInfo.InvariantCulture, out var target) ? run.ClassName(target) : _summary.Target;

    private Html Tiles()
    {
        static Html Tile(Html value, string label) => Html.Of($"<div><dt>{label}</dt><dd>{value}</dd></div>");
        return Html.Of($"""
            <dl class="tiles">
            {Tile(Figure("accuracyBefore", Printed.Accuracy(_summary.AccuracyBefore)), "accuracy before")}
            {Tile(Figure("accuracyAfter", Printed.Accuracy(_summary.AccuracyAfter)), "accuracy after")}
            {Tile(Html.Of($"{Figure("fooled", Printed.Count(_summary.Fooled))} of {Figure("attacked", Printed.Count(_summary.Attacked))}"), "attacked images fooled")}
            {Tile(Median("relativePerturbation", _summary.RelativePerturbation), $"median change, relative {Norm.Parse(_summary.Norm).DisplayName}")}
            </dl>
            """);
    }

    private Html Warnings() => _summary.Warnings.Count == 0 ? Html.Empty : Html.Of($"""
        <aside class="warnings"><h3>To know when reading this</h3><ul>{_summary.Warnings.Select(warning => Html.Of($"<li>{warning}</li>"))}</ul></aside>
        """);

    private Html Method()
    {
        static Html Row(string label, string value) => Html.Of($"<tr><th scope=\"row\">{label}</th><td>{value}</td></tr>");
        var goal = _summary.Criterion == "target-class" ? $"the class “{TargetName()}”" : _summary.Target switch
        {
            "best" => "any wrong class; heads for the nearest",
            "hardest" => "any wrong class; heads for the farthest",
            "untargeted" => "any wrong class; heads for whichever leads",
            var other => $"any wrong class; heads for {other}",
        };
        return Html.Of($"""
            <table class="facts">
            {Row("attack", AttackName())}
            {Row("keeps small", _summary.Norm == "linf" ? "the largest change of a value (L∞)" : "the length of the change (L2)")}
            {Row("lengths in", Unit)}
            {Row("counts as fooled", goal)}
            {Row("network", _summary.Model)}
            {Row("weights", Text(_summary.Options.GetValueOrDefault("weights")))}
            {Row("images", _summary.Data)}
            {Row("seed", FormattableString.Invariant($"{_summary.Seed}"))}
            {Row("Brink", Printed.Version(_summary.BrinkVersion))}
            </table>
            <details><summary>Every setting</summary><table class="facts">{_summary.Options.OrderBy(option => option.Key, StringComparer.Ordinal).Select(option => Row(option.Key, Text(option.Value)))}</table></details>
            """);
    }

    private string AttackName()
    {
        var title = _summary.Attack switch
        {
            "tr" => "trust region",
            "tr2" => "trust region of second order",
            "deepfool" => "DeepFool",
            "fgsm" => "fast gradient",
            "ifgsm" => "iterative fast gradient",
            "pgd" => "projected gradient descent",
            "cw" => "Carlini–Wagner",
            _ => null,
        };
        return title is null ? _summary.Attack : $"{title} ({_summary.Attack})";
    }

    /// <summary>A setting as it was written: of JSON or of the run itself.</summary>
    private static string Text(object? value) => value switch
    {
        null => "–",
        JsonElement { ValueKind: JsonValueKind.String } text => text.GetString()!,
        JsonElement { ValueKind: JsonValueKind.Array } list => string.Join(", ", list.EnumerateArray().Select(entry => Text(entry))),
        JsonElement other => other.GetRawText(),
        _ => JsonSerializer.Serialize(value).Trim('"'),
    };

    private Html Numbers()
    {
        static Html Count(string label, string property, int count) => Html.Of($"<tr><th scope=\"row\">{label}</th><td colspan=\"3\">{Figure(property, Printed.Count(count))}</td></tr>");
        static Html Row(Html label, string property, Distribution numbers, Func<double?, string> print) => Html.Of($"""
            <tr><th scope="row">{label}</th><td>{Figure($"{property}.mean", print(numbers.Mean))}</td><td>{Figure($"{property}.median", print(numbers.Median))}</td><td>{Figure($"{property}.worst", print(numbers.Worst))}</td></tr>
            """);
        static Html Cost(string label, Html value) => Html.Of($"<tr><th scope=\"row\">{label}</th><td colspan=\"3\">{value}</td></tr>");
        var norm = Norm.Parse(_summary.Norm).DisplayName;
        return Html.Of($"""
            <table class="numbers">
            <tbody>
            {Count("images", "images", _summary.Images)}
            {Count("wrong to begin with", "misclassified", _summary.Misclassified)}
            {(_summary.Skipped > 0 ? Count("of the target class already", "skipped", _summary.Skipped) : null)}
            {Count("attacked", "attacked", _summary.Attacked)}
            {Count("fooled", "fooled", _summary.Fooled)}
            {Rounded()}
            </tbody>
            <tbody>
            <tr class="head"><th scope="col">change, of those fooled</th><th scope="col">mean</th><th scope="col">median</th><th scope="col">worst</th></tr>
            {Row(Html.Of($"relative {norm}"), "relativePerturbation", _summary.RelativePerturbation, Printed.Percent)}
            {(_summary.Space == "pixel" ? Row(Html.Of($"…in normalised units"), "relativePerturbationNormalized", _summary.RelativePerturbationNormalized, Printed.Percent) : null)}
            {Row(Html.Of($"L2 length"), "perturbation.l2", _summary.Perturbation.L2, Printed.Length)}
            {Row(Html.Of($"L∞ length"), "perturbation.linf", _summary.Perturbation.LInf, Printed.Length)}
            </tbody>
            <tbody>
            {(_summary.Rounded is { } rounded ? Cost("saved as 8-bit pictures", Html.Of($"{Figure("rounded.stillFooled", Printed.Count(rounded.StillFooled))} of {Figure("rounded.images", Printed.Count(rounded.Images))} still fool the network")) : null)}
            {Cost("passes an image", Html.Of($"{Figure("forwardsPerImage", Printed.Passes(_summary.ForwardsPerImage))} forward, {Figure("backwardsPerImage", Printed.Passes(_summary.BackwardsPerImage))} backward{(_summary.ProductsPerImage > 0 ? Html.Of($", {Figure("productsPerImage", Printed.Passes(_summary.ProductsPerImage))} Hessian products") : null)}"))}
            {Cost("time", Html.Of($"{Printed.Time(_summary.Seconds)}, {Printed.Time(_summary.SecondsPerImage)} an image"))}
            </tbody>
            </table>
            """);
    }

    private Html? Rounded() => _summary.Rounded is not { } rounded ? null : Html.Of($"""
        <tr><th scope="row">…still, rounded to 8 bits</th><td colspan="3">{Figure("rounded.stillFooled", Printed.Count(rounded.StillFooled))} of {Figure("rounded.images", Printed.Count(rounded.Images))}</td></tr>
        """);

    private Html RobustAccuracy() => _summary.RobustAccuracy.Count == 0 ? Html.Empty : Html.Of($"""
        <section><h3>Robust accuracy</h3>
        <p class="note">The share of all images that are still right after every change found up to a length. An upper bound: a better attack can only lower it.</p>
        <table class="numbers narrow"><thead><tr><th scope="col">{Norm.Parse(_summary.Norm).DisplayName} length up to</th><th scope="col">accuracy at most</th></tr></thead><tbody>
        {_summary.RobustAccuracy.Select((entry, row) => Html.Of($"<tr><td>{Figure(FormattableString.Invariant($"robustAccuracy.{row}.epsilon"), Printed.Length(entry.Epsilon))}</td><td>{Figure(FormattableString.Invariant($"robustAccuracy.{row}.accuracy"), Printed.Accuracy(entry.Accuracy))}</td></tr>"))}
        </tbody></table></section>
        """);

    private Html Curves()
    {
        var (l2, linf) = (_summary.Perturbation.L2.Median, _summary.Perturbation.LInf.Median);
        var figures = new[]
        {
            RobustnessCurve.Draw(run.Fooled.Select(image => image.L2), run.Attacked.Count, l2, Printed.Length(l2), $"L2 length of the change ({Unit})", $"{name}l2"),
            RobustnessCurve.Draw(run.Fooled.Select(image => image.LInf), run.Attacked.Count, linf, Printed.Length(linf), $"L∞ length of the change ({Unit})", $"{name}linf"),
        };
        var unfooled = _summary.Attacked - _summary.Fooled;
        return Figures("How soon it gives in", Html.Of($"The share of the attacked images that the changes found up to a length make wrong: the farther right the curve, the more robust the network.{(unfooled > 0 ? $" {Printed.Count(unfooled)} attacked {(unfooled == 1 ? "image was" : "images were")} not fooled, and the median is of the others." : "")}"), figures);
    }

    private Html Histograms() => Figures(
        "How it is distributed",
        Html.Of($"Lengths are of the images that were fooled, steps and passes of all that were attacked."),
        [
            Histogram.Draw(run.Fooled.Select(run.Length), whole: false, $"{Norm.Parse(_summary.Norm).DisplayName} length of the change ({Unit})", $"{name}lengths"),
            Histogram.Draw(run.Attacked.Select(image => (double)image.Iterations), whole: true, "steps of the attack", $"{name}steps"),
            Histogram.Draw(run.Attacked.Select(image => (double)image.Queries), whole: true, "passes through the network", $"{name}passes"),
        ]);

    private static Html Figures(string heading, Html note, IEnumerable<string?> figures)
    {
        var drawn = figures.OfType<string>().ToArray();
        return drawn.Length == 0 ? Html.Empty : Html.Of($"""
            <section><h3>{heading}</h3><p class="note">{note}</p><div class="figures">{drawn.Select(svg => new Html(svg))}</div></section>
            """);
    }
}
