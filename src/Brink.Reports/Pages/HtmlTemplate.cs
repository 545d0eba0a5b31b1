using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace Brink.Reports.Pages;

/// <summary>What the compiler makes of an interpolated string where <see cref="Html.Of"/> stands before it. It takes text, which it encodes, HTML and whole numbers, and nothing else: other numbers are formatted by <see cref="Printed"/>.</summary>
[InterpolatedStringHandler]
internal readonly ref struct HtmlTemplate(int literalLength, int formattedCount)
{
    private const int Guess = 16;

    private readonly StringBuilder _text = new(literalLength + (Guess * formattedCount));

    public void AppendLiteral(string literal) => _text.Append(literal);

    public void AppendFormatted(string? text) => _text.Append(WebUtility.HtmlEncode(text));

    public void AppendFormatted(Html? html) => _text.Append(html?.Text);

    public void AppendFormatted(IEnumerable<Html> pieces) => _text.AppendJoin("", pieces.Select(piece => piece.Text));

    public void AppendFormatted(long number) => _text.Append(number.ToString(CultureInfo.InvariantCulture));

    public override string ToString() => _text.ToString();
}
