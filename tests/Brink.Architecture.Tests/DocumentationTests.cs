using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Brink.Architecture.Tests;

/// <summary>Checks the rule for XML documentation in CONTRIBUTING.md, on public and internal members.</summary>
public sealed partial class DocumentationTests
{
    // A clause that begins so is neither a noun phrase nor a verb: the tooltip would be half a sentence.
    private static readonly string[] ForbiddenStarts = ["What", "How", "Where", "Which", "Who", "Whose", "Why", "When", "If", "Whether", "That", "And", "But", "Or", "So", "As", "Of", "By", "In", "For", "To", "From", "With", "Without", "Among"];

    // A parameter may be a prepositional phrase ("In pixels.") or a Boolean ("Whether to …"), but no clause.
    private static readonly string[] ForbiddenParameterStarts = ["What", "How", "Where", "Which", "Who", "Whose", "Why", "When", "If", "Whether"];

    [Theory]
    [MemberData(nameof(Assemblies.Names), MemberType = typeof(Assemblies))]
    public void A_summary_starts_with_a_noun_phrase_or_a_verb_and_is_complete(string name) =>
        AssertNone(Texts(name, "summary").Where(entry => !IsSummary(entry.Text)));

    [Theory]
    [MemberData(nameof(Assemblies.Names), MemberType = typeof(Assemblies))]
    public void A_parameter_text_is_no_question(string name) =>
        AssertNone(Texts(name, "param", "typeparam", "returns", "value").Where(entry => StartsWith(entry.Text, ForbiddenParameterStarts) && !entry.Text.StartsWith("Whether to ", StringComparison.Ordinal)));

    [Theory]
    [InlineData("The radius of each image.", true)]
    [InlineData("Computes the norm of each image.", true)]
    [InlineData("‖x′ − x‖₂, the length of the perturbation.", true)]
    [InlineData("0.02: the share by which a step is longer.", true)]
    [InlineData("What the attack did.", false)]
    [InlineData("How many steps to take.", false)]
    [InlineData("Where the results are.", false)]
    [InlineData("… and ends here.", false)]
    [InlineData("It starts here, …", false)]
    [InlineData("the radius", false)]
    public void The_rule_accepts_and_rejects(string summary, bool accepted) => Assert.Equal(accepted, IsSummary(summary));

    private static bool IsSummary(string text) =>
        text.Length > 0 && (text[^1] == '.' || text.EndsWith(".)", StringComparison.Ordinal)) && text[0] != '…' && !char.IsLower(text[0]) && !StartsWith(text, ForbiddenStarts);

    private static bool StartsWith(string text, string[] words) => FirstWord().Match(text) is { Success: true } match && words.Contains(match.Value, StringComparer.OrdinalIgnoreCase);

    private static IEnumerable<(string Member, string Text)> Texts(string assembly, params string[] elements)
    {
        var document = XDocument.Load(Path.Combine(AppContext.BaseDirectory, $"{assembly}.xml"));
        // The generator of regular expressions documents its own code.
        const string generated = "System.Text.RegularExpressions.Generated";
        var texts =
            from member in document.Descendants("member")
            where ((string?)member.Attribute("name"))?.Contains(generated, StringComparison.Ordinal) != true
            from element in member.Elements()
            where elements.Contains(element.Name.LocalName, StringComparer.Ordinal)
            select ($"{(string?)member.Attribute("name")} {element.Name.LocalName} {(string?)element.Attribute("name")}", PlainText(element));
        var found = texts.ToArray();
        // An assembly without documentation would pass every check.
        Assert.NotEmpty(found);
        return found;
    }

    /// <summary>The text with references replaced by the last part of their names, capitalised as it is in code.</summary>
    private static string PlainText(XElement element)
    {
        var text = new StringBuilder();
        foreach (var node in element.DescendantNodes())
        {
            text.Append(node switch
            {
                XText characters => characters.Value,
                XElement { Name.LocalName: "see" or "paramref" or "typeparamref" } reference when reference.IsEmpty => ((string?)reference.Attribute("cref") ?? (string?)reference.Attribute("name") ?? (string?)reference.Attribute("langword") ?? "").Split('.', '(')[^1],
                _ => "",
            });
        }

        var plain = Whitespace().Replace(text.ToString(), " ").Trim();
        // Code and references at the start are nouns, whatever their first letter.
        return element.FirstNode is XElement && plain.Length > 0 ? char.ToUpperInvariant(plain[0]) + plain[1..] : plain;
    }

    private static void AssertNone(IEnumerable<(string Member, string Text)> violations)
    {
        var found = violations.Select(violation => $"{violation.Member}: {violation.Text}").ToArray();
        Assert.True(found.Length == 0, $"{found.Length} texts break the rule in CONTRIBUTING.md:\n{string.Join('\n', found)}");
    }

    [GeneratedRegex(@"^\p{L}+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex FirstWord();

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Whitespace();
}
