using System.Net;

namespace Brink.Reports.Pages;

/// <summary>A piece of HTML. Interpolated text is encoded on its way in, so that a class named <c>&lt;script&gt;</c> is a class named so.</summary>
/// <param name="Text">The markup.</param>
internal sealed record Html(string Text)
{
    /// <summary>Nothing.</summary>
    public static Html Empty { get; } = new("");

    /// <summary>A template filled in.</summary>
    public static Html Of(HtmlTemplate template) => new(template.ToString());

    /// <summary>Text as it is to be read.</summary>
    public static Html Encode(string text) => new(WebUtility.HtmlEncode(text));

    /// <inheritdoc/>
    public override string ToString() => Text;
}
