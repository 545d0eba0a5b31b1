using System.Globalization;
using System.Text;

namespace Brink;

/// <summary>Formats text from files, such as names of tensors, classes and images, for messages.</summary>
internal static class Excerpt
{
    // A longer name would hide the rest of the message.
    private const int LongestName = 80;

    // A reason may contain the path that the user gave.
    private const int LongestReason = 300;

    /// <summary>Quotes a text, shortened, and without control characters, which could change the user's terminal.</summary>
    /// <param name="text">The text.</param>
    public static string Quote(string text) => $"'{Plain(text)}'";

    /// <summary>Shortens a text and replaces control characters, without adding quotes.</summary>
    /// <param name="text">The text.</param>
    public static string Plain(string text) => Cut(text, LongestName);

    /// <summary>Shortens a text to a length and replaces control characters.</summary>
    /// <param name="text">The text.</param>
    /// <param name="length">The maximum number of characters before the ellipsis.</param>
    public static string Cut(string text, int length)
    {
        // A pair of surrogates at the end is not cut in two.
        var end = text.Length > length && char.IsHighSurrogate(text[length - 1]) ? length - 1 : Math.Min(text.Length, length);
        var plain = Line(text[..end]);
        return end < text.Length ? plain + "…" : plain;
    }

    /// <summary>Replaces control characters, line ends, invisible characters and halves of surrogate pairs, so that a text is one line.</summary>
    /// <param name="text">The text, of any length.</param>
    public static string Line(string text)
    {
        var line = new StringBuilder(text.Length);
        for (var index = 0; index < text.Length; index++)
        {
            if (index + 1 < text.Length && char.IsSurrogatePair(text, index))
            {
                line.Append(text, index, 2);
                index++;
            }
            else
            {
                line.Append(IsPrinted(text[index]) ? text[index] : '?');
            }
        }

        return line.ToString();
    }

    /// <summary>Returns the message of a library's exception as a clause: on one line, shortened, without a full stop.</summary>
    /// <param name="exception">The exception, whose message may contain text from a file.</param>
    public static string Reason(Exception exception) => Cut(exception.Message.ReplaceLineEndings(" ").Trim().TrimEnd('.'), LongestReason);

    /// <summary>Lists the first four names, quoted, and the number of the others.</summary>
    /// <param name="names">The names.</param>
    public static string List(IReadOnlyCollection<string> names)
    {
        const int shown = 4;
        var list = string.Join(", ", names.Take(shown).Select(Quote));
        return names.Count > shown ? string.Create(CultureInfo.InvariantCulture, $"{list} and {names.Count - shown} more") : list;
    }

    /// <summary>Formats a shape as PyTorch does.</summary>
    /// <param name="shape">The sizes.</param>
    public static string Shape(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";

    private static bool IsPrinted(char character) => char.GetUnicodeCategory(character)
        is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
