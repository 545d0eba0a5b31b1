using System.Text;

namespace Brink.Models;

/// <summary>The file that is being read, for error messages.</summary>
/// <param name="Name">The path or the name of the stream.</param>
/// <param name="Format">The expected format, with its article.</param>
/// <param name="Remedy">The advice at the end of a message.</param>
internal sealed record CheckpointSource(string Name, string Format, string Remedy)
{
    /// <summary>Creates the source of a safetensors file.</summary>
    public static CheckpointSource Safetensors(string name) =>
        new(name, "a safetensors file", "download it again, or save it again with safetensors.torch.save_file(model.state_dict(), …)");

    /// <summary>Creates the source of a PyTorch checkpoint.</summary>
    public static CheckpointSource PyTorch(string name) =>
        new(name, "a PyTorch checkpoint", "download it again, or save it again with torch.save(model.state_dict(), …)");

    /// <summary>Creates the source of a file of TorchSharp's <c>module.save</c>.</summary>
    public static CheckpointSource TorchSharp(string name) =>
        new(name, "a file of TorchSharp's module.save", "copy it again, or save it again with module.save(…)");

    /// <summary>Creates the exception for content that cannot be read.</summary>
    /// <param name="reason">The expected and the actual content, as a clause without a full stop.</param>
    /// <param name="cause">The underlying exception, if any.</param>
    /// <returns>The exception, to be thrown.</returns>
    public BadInputException Refuse(string reason, Exception? cause = null) => new($"{Name} cannot be read as {Format}: {reason}; {Remedy}.", cause);
}

/// <summary>Formats text from a file for error messages.</summary>
internal static class Excerpt
{
    // A longer name would hide the rest of the message.
    private const int MaximumLength = 80;

    /// <summary>Quotes a text, shortened, and without control characters, which could change the user's terminal.</summary>
    public static string Quote(string text) => $"'{Plain(text)}'";

    /// <summary>Shortens a text and replaces control characters, without adding quotes.</summary>
    public static string Plain(string text) => Plain(text, MaximumLength);

    /// <summary>Shortens a text to a length and replaces control characters.</summary>
    public static string Plain(string text, int length)
    {
        var plain = new StringBuilder();
        foreach (var character in text.AsSpan(0, Math.Min(text.Length, length)))
        {
            plain.Append(char.IsControl(character) || char.IsSurrogate(character) || char.GetUnicodeCategory(character) == System.Globalization.UnicodeCategory.Format ? '?' : character);
        }

        return text.Length > length ? plain.Append('…').ToString() : plain.ToString();
    }

    /// <summary>Lists the first four names, quoted, and the number of the others.</summary>
    public static string List(IReadOnlyCollection<string> names)
    {
        const int shown = 4;
        var list = string.Join(", ", names.Take(shown).Select(Quote));
        return names.Count > shown ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{list} and {names.Count - shown} more") : list;
    }

    /// <summary>Formats a shape as PyTorch does.</summary>
    public static string Shape(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";
}
