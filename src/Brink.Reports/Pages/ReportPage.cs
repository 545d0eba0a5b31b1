using Brink.Evaluation.Runs;

namespace Brink.Reports.Pages;

/// <summary>The page: one file that needs no network, no script and no fonts, in the colours of the reader's system.</summary>
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
    /// <param name="runs">The _runs, at least one; they stay the caller's.</param>
    /// <returns>The page as HTML.</returns>
    /// <exception cref="ArgumentException">There is no run.</exception>
    /// <exception cref="BadInputException">The files of a run are damaged or do not belong together.</exception>
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
        // The policy keeps the promise even where a name should get past the encoding: nothing is fetched and nothing is run.
        return Html.Of($"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <link rel="icon" href="data:,">
            <title>How robust is {models}? · Brink</title>
            <style>
            {StyleSheet.Value}
            </style>
            </head>
            <body>
            <header><h1>How robust is {models}?</h1><p class="quiet">network {models}, images {data}</p></header>
            <main>
            {content}
            </main>
            <footer><p>The changes found are upper bounds: no network is more robust than this says, and a better attack may find smaller changes. Every changed image went through the network once more before it was counted.</p><p>Brink {Printed.Version(_runs[0].Summary.BrinkVersion)}</p></footer>
            </body>
            </html>

            """).Text.ReplaceLineEndings("\n");
    }

    private IEnumerable<Html> Sections()
    {
        var labels = RunLabels.Of(_runs);
        return _runs.Select((run, number) => Html.Of($"""
            <section class="run"><h2>{labels[number]}</h2><p class="quiet">{Norm.Parse(run.Summary.Norm).DisplayName} · network {run.Summary.Model} · images {run.Summary.Data}</p>
            {new RunSection(run, FormattableString.Invariant($"r{number}")).Render()}
            </section>
            """));
    }
}
