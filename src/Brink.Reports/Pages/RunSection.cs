using System.Text.Json;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Reports.Figures;

namespace Brink.Reports.Pages;

/// <summary>Renders one run: the result in a sentence, the settings, the numbers, the figures and the examples.</summary>
/// <param name="run">The run.</param>
/// <param name="name">A name that is unique on the page, for the figures.</param>
internal sealed class RunSection(ReportedRun run, string name)
{
    private readonly AttackSummary _summary = run.Summary;

    private string Unit => _summary.Space == "pixel" ? "pixels in [0, 1]" : "normalised input";

    /// <summary>Renders the section without a heading.</summary>
    /// <returns>The HTML.</returns>
    public Html Render() => Html.Of($"""
        {Verdict()}
        {Tiles()}
        {Warnings()}
        <div class="columns">
        <section><h3>Settings</h3>{Settings()}</section>
        <section><h3>Results</h3>{Results()}</section>
        </div>
        {RobustAccuracy()}
        {Curves()}
        {new Gallery(run).Render()}
        {new ClassTables(run).Render()}
        {Histograms()}
        """);

    /// <summary>Renders the result in sentences without technical terms.</summary>
    private Html Verdict()
    {
        var correct = _summary.Images - _summary.Misclassified;
        var start = Html.Of($"The model classifies <strong>{NumberText.Count(correct)}</strong> of {NumberText.Count(_summary.Images)} {(_summary.Images == 1 ? "image" : "images")} correctly.");
        if (_summary.Attacked == 0)
        {
            return Html.Of($"""<p class="verdict">{start} No image was attacked.</p>""");
        }

        var skipped = _summary.Skipped > 0 ? Html.Of($" Images that meet the criterion without an attack ({NumberText.Count(_summary.Skipped)}) were left out.") : Html.Empty;
        if (_summary.Fooled == 0)
        {
            return Html.Of($"""<p class="verdict">{start}{skipped} The attack fooled <strong>none</strong> of the {NumberText.Count(_summary.Attacked)} attacked images. Another attack, or one with more steps, may fool them.</p>""");
        }

        var all = _summary.Fooled == _summary.Attacked;
        var fooled = _summary.Attacked == 1 ? Html.Of($"A small change fools <strong>the attacked image</strong>")
            : all ? Html.Of($"Small changes fool <strong>all {NumberText.Count(_summary.Fooled)}</strong> attacked images")
            : Html.Of($"Small changes fool <strong>{NumberText.Count(_summary.Fooled)}</strong> of {NumberText.Count(_summary.Attacked)} attacked images");
        var target = Goal.Confidence(_summary.Options) == 0 && _summary.Criterion == "misclassified" ? Html.Empty : Html.Of($" (fooled: {Criterion()})");
        if (run.Epsilon is { } epsilon)
        {
            return Html.Of($"""
                <p class="verdict">{start}{skipped} {fooled}{target}. The attack tried changes of {Norm.Parse(_summary.Norm).DisplayName} length up to <strong>{NumberText.Length(epsilon)}</strong> and did not search for the smallest ones{(_summary.Space == "pixel" ? "" : " (in the normalised input of the model)")}: the root mean square of the change is {NumberText.Length(run.MeanLevels)} of {ReportedRun.Levels} brightness levels, and its largest value {NumberText.Length(run.LargestLevels)}{(_summary.Fooled == 1 ? "" : " (medians over the fooled images)")}.</p>
                """);
        }

        var median = Median("relativePerturbation", _summary.RelativePerturbation);
        var enough = _summary.Fooled == 1
            ? Html.Of($"The length of the change is <strong>{median}</strong> of that of the image")
            : Html.Of($"For half of the fooled images a change of at most <strong>{median}</strong> of the length of the image is enough");
        return Html.Of($"""
            <p class="verdict">{start}{skipped} {fooled}{target}. {enough}{(_summary.Space == "pixel" ? "" : " (in the normalised input of the model)")}: the root mean square of the change is {NumberText.Length(run.MeanLevels)} of {ReportedRun.Levels} brightness levels, and its largest value {NumberText.Length(run.LargestLevels)}{(_summary.Fooled == 1 ? "" : " (medians over the fooled images)")}.</p>
            """);
    }

    private static Html Median(string property, Distribution distribution) => Figure($"{property}.median", NumberText.Percent(distribution.Median));

    /// <summary>Renders a number of <c>results.json</c>, marked with its path in that file.</summary>
    private static Html Figure(string property, string text) => Html.Of($"""<span data-json="{property}">{text}</span>""");

    /// <summary>Renders the count and the 95 % interval of an accuracy.</summary>
    /// <param name="property">The path of the interval in <c>results.json</c>; null if it is not there.</param>
    /// <param name="interval">The interval.</param>
    private static Html Interval(string? property, AccuracyInterval interval)
    {
        Html Part(string name, string text) => property is null ? Html.Of($"{text}") : Figure($"{property}.{name}", text);
        return Html.Of($"{Part("correct", NumberText.Count(interval.Correct))} of {Part("images", NumberText.Count(interval.Images))}, 95 % interval {Part("lower", NumberText.Accuracy(interval.Lower))} to {Part("upper", NumberText.Accuracy(interval.Upper))}");
    }

    private string Criterion() => Goal.Text(_summary.Criterion, _summary.Target, _summary.Options, target => $"“{run.ClassName(target)}”");

    private Html Tiles()
    {
        static Html Tile(Html value, Html label) => Html.Of($"<div><dt>{label}</dt><dd>{value}</dd></div>");
        var norm = Norm.Parse(_summary.Norm).DisplayName;
        return Html.Of($"""
            <dl class="tiles">
            {Tile(Figure("accuracyBefore", NumberText.Accuracy(_summary.AccuracyBefore)), Html.Of($"accuracy before the attack: {Interval("accuracyBeforeInterval", _summary.AccuracyBeforeInterval)}"))}
            {Tile(Figure("accuracyAfter", NumberText.Accuracy(_summary.AccuracyAfter)), Html.Of($"accuracy after the attack: {Interval("accuracyAfterInterval", _summary.AccuracyAfterInterval)}"))}
            {Tile(Html.Of($"{Figure("fooled", NumberText.Count(_summary.Fooled))} of {Figure("attacked", NumberText.Count(_summary.Attacked))}"), Html.Of($"attacked images fooled"))}
            {(run.Epsilon is { } epsilon ? Tile(Html.Of($"{NumberText.Length(epsilon)}"), Html.Of($"largest {norm} length tried (ε)")) : Tile(Median("relativePerturbation", _summary.RelativePerturbation), Html.Of($"median relative {norm} perturbation")))}
            </dl>
            """);
    }

    private Html Warnings() => _summary.Warnings.Count == 0 ? Html.Empty : Html.Of($"""
        <aside class="warnings"><h3>Warnings</h3><ul>{_summary.Warnings.Select(warning => Html.Of($"<li>{warning}</li>"))}</ul></aside>
        """);

    private Html Settings()
    {
        static Html Row(string label, string value) => Html.Of($"<tr><th scope=\"row\">{label}</th><td>{value}</td></tr>");
        var target = _summary.Target switch
        {
            "best" => $"{Criterion()}; approaches the nearest class (best)",
            "hardest" => $"{Criterion()}; approaches the farthest class (hardest)",
            "untargeted" => $"{Criterion()}; untargeted",
            _ => Criterion(),
        };
        return Html.Of($"""
            <table class="facts">
            {Row("attack", AttackName())}
            {Row("norm", _summary.Norm switch { "linf" => "L∞ (the largest change of a value)", "l1" => "L1 (the sum of the changes of all values)", _ => "L2 (the Euclidean length of the change)" })}
            {Row("lengths in", Unit)}
            {Row("fooled", target)}
            {Row("model", _summary.Model)}
            {Row("weights", Text(_summary.Options.GetValueOrDefault("weights")))}
            {Row("images", _summary.Data)}
            {Row("seed", FormattableString.Invariant($"{_summary.Seed}"))}
            {Row("Brink", NumberText.Version(_summary.BrinkVersion))}
            </table>
            <details><summary>All settings</summary><table class="facts">{_summary.Options.OrderBy(option => option.Key, StringComparer.Ordinal).Select(option => Row(option.Key, Text(option.Value)))}</table></details>
            """);
    }

    private string AttackName()
    {
        var title = AttackCatalog.All.FirstOrDefault(attack => attack.Name == _summary.Attack)?.Title;
        return title is null ? _summary.Attack : $"{title} ({_summary.Attack})";
    }

    /// <summary>Formats the value of a setting, from JSON or from a run in memory.</summary>
    private static string Text(object? value) => value switch
    {
        null => "–",
        JsonElement { ValueKind: JsonValueKind.String } text => text.GetString()!,
        JsonElement { ValueKind: JsonValueKind.Array } list => string.Join(", ", list.EnumerateArray().Select(entry => Text(entry))),
        JsonElement other => other.GetRawText(),
        _ => JsonSerializer.Serialize(value).Trim('"'),
    };

    private Html Results()
    {
        static Html Count(string label, string property, int count) => Html.Of($"<tr><th scope=\"row\">{label}</th><td colspan=\"3\">{Figure(property, NumberText.Count(count))}</td></tr>");
        static Html Row(Html label, string property, Distribution numbers, Func<double?, string> print) => Html.Of($"""
            <tr><th scope="row">{label}</th><td>{Figure($"{property}.mean", print(numbers.Mean))}</td><td>{Figure($"{property}.median", print(numbers.Median))}</td><td>{Figure($"{property}.worst", print(numbers.Worst))}</td></tr>
            """);
        static Html Line(string label, Html value) => Html.Of($"<tr><th scope=\"row\">{label}</th><td colspan=\"3\">{value}</td></tr>");
        var norm = Norm.Parse(_summary.Norm).DisplayName;
        return Html.Of($"""
            <table class="numbers">
            <tbody>
            {Count("images", "images", _summary.Images)}
            {Count("misclassified before the attack", "misclassified", _summary.Misclassified)}
            {(_summary.Skipped > 0 ? Count("skipped (the criterion is met, or the label is the target class)", "skipped", _summary.Skipped) : null)}
            {Count("attacked", "attacked", _summary.Attacked)}
            {Count("fooled", "fooled", _summary.Fooled)}
            {(_summary.Unattacked.Total > 0 ? Line("unattacked: the attack could not work", Html.Of($"{Figure("unattacked.total", NumberText.Count(_summary.Unattacked.Total))} ({_summary.Unattacked.Counts})")) : null)}
            {(_summary.Underflowed > 0 ? Count("logit gap used after underflow of the cross-entropy", "underflowed", _summary.Underflowed) : null)}
            {Rounded()}
            </tbody>
            <tbody>
            <tr class="head"><th scope="col">perturbation of fooled images{(run.Epsilon is { } epsilon ? $" (lengths up to ε = {NumberText.Length(epsilon)}, not the smallest)" : "")}</th><th scope="col">mean</th><th scope="col">median</th><th scope="col">worst</th></tr>
            {Row(Html.Of($"relative {norm}"), "relativePerturbation", _summary.RelativePerturbation, NumberText.Percent)}
            {(_summary.Space == "pixel" ? Row(Html.Of($"relative {norm}, normalised input"), "relativePerturbationNormalized", _summary.RelativePerturbationNormalized, NumberText.Percent) : null)}
            {Row(Html.Of($"L2 length"), "perturbation.l2", _summary.Perturbation.L2, NumberText.Length)}
            {Row(Html.Of($"L∞ length"), "perturbation.linf", _summary.Perturbation.LInf, NumberText.Length)}
            {(run.Norm == Norm.L1 && _summary.Perturbation.L1 is { } lengths ? Row(Html.Of($"L1 length"), "perturbation.l1", lengths, NumberText.Length) : null)}
            </tbody>
            <tbody>
            {Line("passes per image", Html.Of($"{Figure("forwardsPerImage", NumberText.Passes(_summary.ForwardsPerImage))} forward, {Figure("backwardsPerImage", NumberText.Passes(_summary.BackwardsPerImage))} backward{(_summary.ProductsPerImage > 0 ? Html.Of($", {Figure("productsPerImage", NumberText.Passes(_summary.ProductsPerImage))} Hessian products") : null)}"))}
            {Line("time", Html.Of($"{NumberText.Time(_summary.Seconds)}, {NumberText.Time(_summary.SecondsPerImage)} per image"))}
            </tbody>
            </table>
            """);
    }

    private Html? Rounded() => _summary.Rounded is not { } rounded ? null : Html.Of($"""
        <tr><th scope="row">still fooled as 8-bit images</th><td colspan="3">{Figure("rounded.stillFooled", NumberText.Count(rounded.StillFooled))} of {Figure("rounded.images", NumberText.Count(rounded.Images))}</td></tr>
        """);

    private Html RobustAccuracy()
    {
        // Runs of older versions may list lengths below the ε of a budgeted attack.
        var description = _summary.Describe();
        var rows = _summary.RobustAccuracy.Select((entry, row) => (Entry: entry, Property: FormattableString.Invariant($"robustAccuracy.{row}"))).Where(row => description.Covers(row.Entry.Epsilon)).ToArray();
        return rows.Length == 0 ? Html.Empty : Html.Of($"""
            <section><h3>Robust accuracy</h3>
            <p class="note">The share of all images that are still classified correctly after every perturbation found up to a length, with its 95 % interval. It is an upper bound: a better attack can only lower it.</p>
            <table class="numbers narrow"><thead><tr><th scope="col">{Norm.Parse(_summary.Norm).DisplayName} length up to</th><th scope="col">accuracy at most</th><th scope="col">images</th></tr></thead><tbody>
            {rows.Select(row => Html.Of($"<tr><td>{Figure($"{row.Property}.epsilon", NumberText.Length(row.Entry.Epsilon))}</td><td>{Figure($"{row.Property}.accuracy", NumberText.Accuracy(row.Entry.Accuracy))}</td><td>{Interval(row.Entry.Interval is null ? null : $"{row.Property}.interval", AccuracyInterval.Of(row.Entry.Accuracy, _summary.Images))}</td></tr>"))}
            </tbody></table></section>
            """);
    }

    /// <summary>Renders the curves of a minimal attack. The lengths of a budgeted attack say nothing about shorter perturbations.</summary>
    private Html Curves()
    {
        if (run.Epsilon is not null)
        {
            return Html.Empty;
        }

        var (lengths, tolerance) = (_summary.Perturbation, _summary.Describe().Tolerance);
        Curve?[] drawn = [new(Norm.L2, image => image.L2, lengths.L2), new(Norm.LInf, image => image.LInf, lengths.LInf), run.Norm == Norm.L1 && lengths.L1 is { } l1 ? new(Norm.L1, image => image.L1, l1) : null];
        var figures = drawn.OfType<Curve>().Select(curve => RobustnessCurve.Draw(
            run.Fooled.Select(curve.Length), run.Attacked.Count, tolerance, curve.Lengths.Median, NumberText.Length(curve.Lengths.Median), $"{curve.Norm.DisplayName} length of perturbation ({Unit})", $"{name}{curve.Norm.Name}"));
        var unfooled = _summary.Attacked - _summary.Fooled;
        return Figures("Robustness curve", Html.Of($"The share of the attacked images that are fooled by perturbations up to a length. The farther right the curve, the more robust the model.{(unfooled > 0 ? $" {NumberText.Count(unfooled)} attacked {(unfooled == 1 ? "image was" : "images were")} not fooled; the median is over the fooled images." : "")}"), figures);
    }

    private Html Histograms() => Figures(
        "Distributions",
        Html.Of($"Lengths are over the fooled images{(run.Epsilon is { } epsilon ? $", up to ε = {NumberText.Length(epsilon)} and not the smallest ones" : "")}; steps and passes are over all attacked images."),
        [
            Histogram.Draw(run.Fooled.Select(run.Length), whole: false, $"{Norm.Parse(_summary.Norm).DisplayName} length of perturbation ({Unit})", $"{name}lengths"),
            Histogram.Draw(run.Attacked.Select(image => (double)image.Iterations), whole: true, "steps of the attack", $"{name}steps"),
            Histogram.Draw(run.Attacked.Select(image => (double)image.Passes), whole: true, "passes per image", $"{name}passes"),
        ]);

    private static Html Figures(string heading, Html note, IEnumerable<string?> figures)
    {
        var drawn = figures.OfType<string>().ToArray();
        return drawn.Length == 0 ? Html.Empty : Html.Of($"""
            <section><h3>{heading}</h3><p class="note">{note}</p><div class="figures">{drawn.Select(svg => new Html(svg))}</div></section>
            """);
    }

    private sealed record Curve(Norm Norm, Func<SavedImage, double> Length, Distribution Lengths);
}
