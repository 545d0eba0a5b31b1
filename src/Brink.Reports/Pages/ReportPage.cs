using Brink.Evaluation.Runs;

namespace Brink.Reports.Pages;

/// <summary>Renders reports: HTML pages in one file, without scripts, fonts or network access, in the light or dark colours of the reader's system.</summary>
public sealed class ReportPage
{
    private const string Resource = "Brink.Reports.Pages.report.css";

    private static readonly Lazy<Html> StyleSheet = new(() =>
    {
        using var stream = typeof(ReportPage).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The assembly Brink.Reports needs the resource {Resource}, but was built without it; build it again.");
        using var reader = new StreamReader(stream);
        return new(reader.ReadToEnd());
    });

    private readonly IReadOnlyList<ReportedRun> _runs;

    private ReportPage(IReadOnlyList<ReportedRun> reported) => _runs = reported;

    /// <summary>Renders the page of one run, or of several runs.</summary>
    /// <param name="runs">The runs, at least one. The caller still owns them.</param>
    /// <returns>The page as HTML.</returns>
    /// <exception cref="ArgumentException">There is no run.</exception>
    /// <exception cref="BadInputException">The files of a run are damaged or from different runs.</exception>
    public static string Render(IReadOnlyList<SavedRun> runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        return runs.Count == 0
            ? throw new ArgumentException("A report needs at least one run.", nameof(runs))
            : new ReportPage([.. runs.Select(run => new ReportedRun(run))]).Render();
    }

    private string Render()
    {
        var models = string.Join(", ", _runs.Select(run => run.Summary.Model).Distinct(StringComparer.Ordinal));
        var data = string.Join(", ", _runs.Select(run => run.Summary.Data).Distinct(StringComparer.Ordinal));
        var content = _runs.Count == 1
            ? new RunSection(_runs[0], "a").Render()
            : Html.Of($"{new ComparisonSection(_runs).Render()}{Sections()}");
        // The policy forbids loading and scripts even if text should get past the encoding.
        return Html.Of($"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <link rel="icon" href="data:,">
            <title>Robustness of {models} · Brink</title>
            <style>
            {StyleSheet.Value}
            </style>
            </head>
            <body>
            <header><h1>Robustness of {models}</h1><p class="quiet">model {models}, images {data}</p></header>
            <main>
            {content}
            </main>
            <footer><p>The lengths are upper bounds: a better attack may find smaller changes. Every adversarial image was confirmed by a fresh forward pass before it was counted.</p><p>Brink {NumberText.Version(_runs[0].Summary.BrinkVersion)}</p></footer>
            </body>
            </html>

            """).Text.ReplaceLineEndings("\n");
    }

    private IEnumerable<Html> Sections()
    {
        var labels = RunLabels.Of(_runs);
        return _runs.Select((run, number) => Html.Of($"""
            <section class="run"><h2>{labels[number]}</h2><p class="quiet">{Norm.Parse(run.Summary.Norm).DisplayName} · model {run.Summary.Model} · images {run.Summary.Data}</p>
            {new RunSection(run, FormattableString.Invariant($"r{number}")).Render()}
            </section>
            """));
    }
}
