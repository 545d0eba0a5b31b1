using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Brink.Evaluation.Catalog;

/// <summary>The explanations of options: the summaries of the properties in the XML documentation that lies beside the assemblies.</summary>
internal static partial class OptionDocumentation
{
    private static readonly Dictionary<string, IReadOnlyDictionary<string, string>> Summaries = new(StringComparer.Ordinal);

    /// <summary>Returns the explanation of an option in plain text.</summary>
    /// <param name="property">The property of the options record.</param>
    /// <returns>The summary of the property; empty if the documentation is not beside the assembly.</returns>
    public static string Of(PropertyInfo property)
    {
        var assembly = property.DeclaringType!.Assembly.GetName().Name!;
        lock (Summaries)
        {
            if (!Summaries.TryGetValue(assembly, out var summaries))
            {
                Summaries[assembly] = summaries = Read(Path.Combine(AppContext.BaseDirectory, $"{assembly}.xml"));
            }

            return summaries.GetValueOrDefault($"P:{property.DeclaringType.FullName}.{property.Name}", "");
        }
    }

    private static Dictionary<string, string> Read(string file) => !File.Exists(file) ? [] : XDocument.Load(file).Descendants("member")
        .Where(member => member.Element("summary") is not null)
        .ToDictionary(member => (string)member.Attribute("name")!, member => Plain(member.Element("summary")!), StringComparer.Ordinal);

    /// <summary>Returns the text of an element; references become the last part of their names.</summary>
    private static string Plain(XElement element)
    {
        var text = new StringBuilder();
        foreach (var node in element.DescendantNodes())
        {
            text.Append(node switch
            {
                XText characters => characters.Value,
                XElement { IsEmpty: true } reference => ((string?)reference.Attribute("cref") ?? (string?)reference.Attribute("langword") ?? "").Split('.', '(')[^1],
                _ => "",
            });
        }

        return Whitespace().Replace(text.ToString(), " ").Trim();
    }

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Whitespace();
}
