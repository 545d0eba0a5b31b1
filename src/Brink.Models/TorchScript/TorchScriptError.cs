using System.Text.RegularExpressions;

namespace Brink.Models;

/// <summary>Finds the reason in a message of libtorch, which consists of dozens of lines of script positions and native frames.</summary>
internal static partial class TorchScriptError
{
    // The message of an assertion is a sentence of the author; longer ones print whole tensors.
    private const int MaximumLength = 240;

    private const string What = "what():";
    private const string Position = "<--- HERE";

    /// <summary>Returns the reason of an exception of libtorch.</summary>
    /// <param name="exception">The exception.</param>
    public static string Reason(Exception exception) => Reason(exception.Message) ?? exception.GetType().Name;

    /// <summary>Returns the reason for which libtorch ended a process.</summary>
    /// <param name="error">The text that the process wrote to its error stream.</param>
    /// <returns>The reason, or null if libtorch did not end it.</returns>
    public static string? Thrown(string error) => error.LastIndexOf(What, StringComparison.Ordinal) is >= 0 and var start ? Reason(error[(start + What.Length)..]) : null;

    /// <summary>Returns the line that gives the reason, without the names of exceptions in front of it and without a full stop.</summary>
    private static string? Reason(string message)
    {
        var text = message.Split("\nException raised from ")[0];
        // An exception inside the script follows its last position and the code around it; an error of the compiler precedes the positions.
        var inside = text.LastIndexOf(Position, StringComparison.Ordinal) is >= 0 and var position ? RaisedException().Match(text, position) : Match.Empty;
        var reason = ExceptionName().Replace(inside.Success ? inside.Value : Array.Find(text.Split('\n', StringSplitOptions.TrimEntries), line => line.Length > 0) ?? "", "").TrimEnd('.', ' ');
        return reason.Length == 0 ? null : Excerpt.Cut(reason, MaximumLength);
    }

    [GeneratedRegex(@"^\w[\w.]*: .+$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex RaisedException();

    [GeneratedRegex(@"^((\w+\.)*\w*(Error|Exception|Warning): )+", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex ExceptionName();
}
