using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace Brink.Reports.Pages;

/// <summary>A fragment of HTML. Interpolated text is encoded, so that a class name such as <c>&lt;script&gt;</c> is shown as text.</summary>
/// <param name="Text">The markup.</param>
internal sealed record Html(string Text)
{
    /// <summary>The empty fragment.</summary>
    public static Html Empty { get; } = new("");

    /// <summary>Creates HTML from an interpolated string. Its text is encoded.</summary>
    /// <param name="template">The interpolated string.</param>
    /// <returns>The HTML.</returns>
    public static Html Of(HtmlTemplate template) => new(template.ToString());

    /// <summary>Encodes text as HTML.</summary>
    /// <param name="text">The text.</param>
    /// <returns>The HTML.</returns>
    public static Html Encode(string text) => new(WebUtility.HtmlEncode(text));

    /// <inheritdoc/>
    public override string ToString() => Text;
}

/// <summary>The interpolated string handler of <see cref="Html.Of"/>. It accepts text, which it encodes, HTML and whole numbers. Other numbers must be formatted by <see cref="NumberText"/>.</summary>
[InterpolatedStringHandler]
internal readonly ref struct HtmlTemplate(int literalLength, int formattedCount)
{
    // The expected length of an interpolated value, for the initial capacity.
    private const int Guess = 16;

    private readonly StringBuilder _text = new(literalLength + (Guess * formattedCount));

    /// <summary>Appends literal HTML.</summary>
    public void AppendLiteral(string literal) => _text.Append(literal);

    /// <summary>Appends encoded text.</summary>
    public void AppendFormatted(string? text) => _text.Append(WebUtility.HtmlEncode(text));

    /// <summary>Appends HTML.</summary>
    public void AppendFormatted(Html? html) => _text.Append(html?.Text);

    /// <summary>Appends several pieces of HTML.</summary>
    public void AppendFormatted(IEnumerable<Html> pieces) => _text.AppendJoin("", pieces.Select(piece => piece.Text));

    /// <summary>Appends a whole number.</summary>
    public void AppendFormatted(long number) => _text.Append(number.ToString(CultureInfo.InvariantCulture));

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();
}
