using Spectre.Console;

namespace Brink.Cli.Terminal;

/// <summary>Formatted output for people.</summary>
internal static class Screen
{
    /// <summary>80, the width of the narrowest common terminal.</summary>
    public const int Columns = 80;

    /// <summary>Creates a console for tables on an output, at most <see cref="Columns"/> wide.</summary>
    public static IAnsiConsole Create(TextWriter output)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = Math.Min(console.Profile.Width, Columns);
        return console;
    }

    /// <summary>Prints the warnings of a result, one per line.</summary>
    public static void WriteWarnings(IAnsiConsole console, IEnumerable<string> warnings)
    {
        foreach (var warning in warnings)
        {
            console.WriteLine(Excerpt.Line($"Note: {warning}"));
        }
    }
}
