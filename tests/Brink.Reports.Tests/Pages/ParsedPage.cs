using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Brink.Reports.Tests.Pages;

/// <summary>A report, parsed as far as tests need it.</summary>
internal sealed partial class ParsedPage
{
    private static readonly HashSet<string> Void = new(["meta", "link", "br", "img"], StringComparer.Ordinal);

    private static readonly HashSet<string> Counts = new(["images", "misclassified", "skipped", "attacked", "fooled", "rounded.images", "rounded.stillFooled"], StringComparer.Ordinal);

    public ParsedPage(string html)
    {
        var open = new Stack<string>();
        foreach (Match tag in Tag().Matches(Style().Replace(html, "<style></style>")))
        {
            var name = tag.Groups["name"].Value;
            if (tag.Groups["end"].Success)
            {
                Assert.True(open.TryPop(out var last) && last == name, $"</{name}> closes no open tag at {tag.Index}.");
            }
            else
            {
                Tags.Add(name);
                foreach (Match attribute in Attribute().Matches(tag.Groups["attributes"].Value))
                {
                    Attributes.Add((name, attribute.Groups["name"].Value, WebUtility.HtmlDecode(attribute.Groups["value"].Value)));
                }

                if (!Void.Contains(name) && !tag.Groups["closed"].Success)
                {
                    open.Push(name);
                }
            }
        }

        Assert.Empty(open);
        Text = WebUtility.HtmlDecode(Tag().Replace(Style().Replace(html, ""), " "));
        Text = Spaces().Replace(Text, " ");
        Figures = [.. Figure().Matches(html).Select(match => (match.Groups["property"].Value, match.Groups["text"].Value))];
    }

    public List<string> Tags { get; } = [];

    public List<(string Tag, string Name, string Value)> Attributes { get; } = [];

    /// <summary>The visible text.</summary>
    public string Text { get; }

    /// <summary>The printed numbers of results.json, with their paths in that file.</summary>
    public IReadOnlyList<(string Property, string Printed)> Figures { get; }

    /// <summary>Determines whether a printed number is a given number, rounded correctly: counts exactly, accuracies to hundredths of a percent, passes to tenths, all others to three digits.</summary>
    public static bool IsRounded(string property, string printed, double value)
    {
        var percent = printed.EndsWith(" %", StringComparison.Ordinal);
        var exact = percent ? value * 100 : value;
        var step = property.Contains("accuracy", StringComparison.Ordinal) ? 0.01
            : property.EndsWith("PerImage", StringComparison.Ordinal) && !property.StartsWith("seconds", StringComparison.Ordinal) ? 0.1
            : Counts.Contains(property) || exact == 0 ? 0
            : Math.Pow(10, Math.Min(0, Math.Floor(Math.Log10(Math.Abs(exact))) - 2));
        var digits = (percent ? printed[..^2] : printed).Replace(",", "", StringComparison.Ordinal);
        return Math.Abs(double.Parse(digits, CultureInfo.InvariantCulture) - exact) <= 0.5000001 * step;
    }

    [GeneratedRegex(@"<(?<end>/)?(?<name>[a-zA-Z][a-zA-Z0-9]*)(?<attributes>(?:\s+[a-zA-Z:-]+(?:=""[^""]*"")?)*)\s*(?<closed>/)?>", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Tag();

    [GeneratedRegex(@"(?<name>[a-zA-Z:-]+)(=""(?<value>[^""]*)"")?", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Attribute();

    [GeneratedRegex("<style>.*?</style>", RegexOptions.Singleline, 10_000)]
    private static partial Regex Style();

    [GeneratedRegex(@"\s+", RegexOptions.None, 10_000)]
    private static partial Regex Spaces();

    [GeneratedRegex(@"<span data-json=""(?<property>[^""]*)"">(?<text>[^<]*)</span>", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Figure();
}
