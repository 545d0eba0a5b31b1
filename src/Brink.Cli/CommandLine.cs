using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Globalization;
using Brink.Cli.Attack;
using Brink.Cli.Compare;
using Brink.Cli.Data;
using Brink.Cli.Doctor;
using Brink.Cli.Inputs;
using Brink.Cli.Models;
using Brink.Cli.Picture;
using Brink.Cli.Report;
using Brink.Cli.Reproduce;
using Brink.Cli.Terminal;
using Brink.Cli.Train;
using Brink.Cli.Transfer;

namespace Brink.Cli;

/// <summary>The command <c>brink</c>: parses the arguments, runs a verb, and turns exceptions into an error message and an exit code.</summary>
internal static class CommandLine
{
    // 1,000 characters: a message may contain an argument of any length, but must not fill the screen.
    private const int LongestMessage = 1000;

    /// <summary>Runs the command.</summary>
    /// <param name="arguments">The arguments, without the name of the program.</param>
    /// <param name="output">The standard output, for results.</param>
    /// <param name="error">The error stream, for progress and error messages.</param>
    /// <param name="cancellationToken">Cancels the verb; finished results are kept.</param>
    /// <returns>The exit code (<see cref="ExitCode"/>).</returns>
    public static int Run(IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        // Scripts read the output, so numbers and minus signs must not depend on the culture.
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
        // Not a RootCommand: the help would call it by the name of the executable, Brink.Cli.
        var brink = new Command("brink", "Adversarial attacks: measure how small a perturbation changes the prediction of an image classifier.")
        {
            AttackCommand.Create(output, error, cancellationToken),
            CompareCommand.Create(output, error, cancellationToken),
            TransferCommand.Create(output, cancellationToken),
            ReportCommand.Create(output),
            PictureCommand.Create(output, cancellationToken),
            ReproduceCommand.Create(output, error, cancellationToken),
            TrainCommand.Create(output, error, cancellationToken),
            AttacksCommand.Create(output),
            ModelsCommand.Create(output),
            DataCommand.Create(output, error, cancellationToken),
            DoctorCommand.Create(output),
            ModelTrialCommand.Create(output),
            LibtorchTrial.Create(output),
            UserLibtorch.Flag,
            new HelpOption(),
            new VersionOption(),
        };
        var parsed = brink.Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            WriteError(error, Problem(brink, parsed));
            return ExitCode.BadInput;
        }

        UserLibtorch.Request(parsed);
        try
        {
            return parsed.Invoke(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (BadInputException exception)
        {
            WriteError(error, exception.Message);
            return ExitCode.BadInput;
        }
        catch (IOException exception)
        {
            // Errors of files are reported as BadInputException; only the standard output remains.
            WriteError(error, $"The output could not be written ({exception.Message.TrimEnd('.')}); check where it is redirected to.");
            return ExitCode.BadInput;
        }
        catch (Exception exception) when (MemoryShortage.Is(exception))
        {
            WriteError(error, "The command needs more memory than there is; use a smaller --batch-size or --limit, or smaller images (--resize, --crop).");
            return ExitCode.BadInput;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Cancelled;
        }
        catch (Exception exception)
        {
            WriteError(error, "An unexpected error occurred; please report it with the following lines.", exception.ToString());
            return ExitCode.UnexpectedFailure;
        }
    }

    /// <summary>Describes the first error in the arguments in one sentence.</summary>
    private static string Problem(Command brink, ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var name = FullName(parsed.CommandResult);
        var choices = Choices([.. brink.Subcommands.Where(choice => !choice.Hidden).Select(choice => choice.Name)]);
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

    /// <summary>Writes an error message as one line, with control characters of paths and arguments replaced, and optional details below it.</summary>
    private static void WriteError(TextWriter error, string message, string? details = null)
    {
        var line = Excerpt.Line(message);
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
            // The message is lost; the exit code still reports the error.
        }
    }
}
