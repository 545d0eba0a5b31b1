using System.Text;

namespace Brink.Models;

/// <summary>Text out of a file made fit for an error message.</summary>
internal static class Excerpt
{
    private const int MaximumLength = 80;

    /// <summary>The text in quotes, cut short, and without the control characters that could drive the user's terminal.</summary>
    public static string Quote(string text) => $"'{Plain(text)}'";

    /// <summary>As <see cref="Quote"/>, without the quotes.</summary>
    public static string Plain(string text)
    {
        var plain = new StringBuilder();
        foreach (var character in text.AsSpan(0, Math.Min(text.Length, MaximumLength)))
        {
            plain.Append(char.IsControl(character) || char.IsSurrogate(character) || char.GetUnicodeCategory(character) == System.Globalization.UnicodeCategory.Format ? '?' : character);
        }

        return text.Length > MaximumLength ? plain.Append('…').ToString() : plain.ToString();
    }

    /// <summary>The first few names, quoted, and how many more there are.</summary>
    public static string List(IReadOnlyCollection<string> names)
    {
        const int shown = 4;
        var list = string.Join(", ", names.Take(shown).Select(Quote));
        return names.Count > shown ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{list} and {names.Count - shown} more") : list;
    }

    /// <summary>A shape as PyTorch prints it.</summary>
    public static string Shape(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";
}
