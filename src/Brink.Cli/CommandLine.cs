using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Globalization;
using Brink.Cli.Attack;
using Brink.Cli.Compare;
using Brink.Cli.Data;
using Brink.Cli.Doctor;
using Brink.Cli.Models;
using Brink.Cli.Picture;
using Brink.Cli.Report;
using Brink.Cli.Reproduce;
using Brink.Cli.Terminal;
using Brink.Cli.Train;
using Brink.Cli.Transfer;

namespace Brink.Cli;

/// <summary>The command <c>brink</c>: parses, calls, turns errors into a sentence and an exit code.</summary>
internal static class CommandLine
{
    private const int LongestMessage = 1000;

    public static int Run(IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        // Scripts read what is printed: numbers, the minus sign among them, look alike everywhere.
        var culture = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        try
        {
            return ParseAndInvoke(arguments, output, error, cancellationToken);
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    private static int ParseAndInvoke(IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        // Not a RootCommand, whose name in the help would be that of the executable, Brink.Cli.
        var brink = new Command("brink", "How small a change makes my network wrong?")
        {
            AttackCommand.Create(output, error, cancellationToken),
            CompareCommand.Create(output, error, cancellationToken),
            TransferCommand.Create(output, cancellationToken),
            ReportCommand.Create(output),
            PictureCommand.Create(output, cancellationToken),
            ReproduceCommand.Create(output, error, cancellationToken),
            TrainCommand.Create(output, error, cancellationToken),
            ModelsCommand.Create(output),
            DataCommand.Create(output, error, cancellationToken),
            DoctorCommand.Create(output),
            new HelpOption(),
            new VersionOption(),
        };
        var parsed = brink.Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            Say(error, Problem(brink, parsed));
            return ExitCode.BadInput;
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (BadInputException exception)
        {
            Say(error, exception.Message);
            return ExitCode.BadInput;
        }
        catch (IOException exception)
        {
            // Files are the business of BadInputException; what is left is the standard output.
            Say(error, $"The output could not be written ({exception.Message.TrimEnd('.')}); check where it is redirected to.");
            return ExitCode.BadInput;
        }
        catch (OutOfMemoryException)
        {
            Say(error, "The memory did not suffice; use a smaller --batch-size or --limit.");
            return ExitCode.UnexpectedFailure;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Cancelled;
        }
        catch (Exception exception)
        {
            Say(error, "Something went wrong that Brink did not foresee; please report it with these lines.", exception.ToString());
            return ExitCode.UnexpectedFailure;
        }
    }

    /// <summary>The first thing that is wrong with the arguments, as a sentence.</summary>
    private static string Problem(Command brink, ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var name = FullName(parsed.CommandResult);
        var choices = Choices([.. brink.Subcommands.Select(choice => choice.Name)]);
        return (parsed.UnmatchedTokens, command == brink) switch
        {
            ([var unknown, ..], true) when !unknown.StartsWith('-') => $"There is no command '{unknown}'; choose {choices}, or see {name} --help.",
            ([var unknown, ..], _) => $"{name} has no flag or argument '{unknown}'; see {name} --help.",
            ([], true) => $"A command is needed: {choices}; see {name} --help.",
            _ => $"{parsed.Errors[0].Message} See {name} --help.",
        };
    }

    private static string FullName(CommandResult result) => result.Parent is CommandResult parent ? $"{FullName(parent)} {result.Command.Name}" : result.Command.Name;

    private static string Choices(string[] names) => $"{string.Join(", ", names[..^1])} or {names[^1]}";

    /// <summary>Writes one line, whatever a path or an argument put into it, and more lines after it if given.</summary>
    private static void Say(TextWriter error, string message, string? details = null)
    {
        var line = string.Concat(message.Select(letter => char.IsControl(letter) ? '?' : letter));
        if (line.Length > LongestMessage)
        {
            line = $"{line[..(LongestMessage / 2)]} … {line[^(LongestMessage / 2)..]}";
        }

        try
        {
            error.WriteLine($"brink: {line}");
            if (details is not null)
            {
                error.WriteLine(details);
            }
        }
        catch (IOException)
        {
            // Nobody can be told; the exit code still says it.
        }
    }
}
