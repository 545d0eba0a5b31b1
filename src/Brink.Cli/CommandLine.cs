using System.CommandLine;
using Brink.Cli.Attack;
using Brink.Cli.Doctor;

namespace Brink.Cli;

/// <summary>The command <c>brink</c>: parses, calls, turns errors into a sentence and an exit code.</summary>
internal static class CommandLine
{
    public static int Run(IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var root = new RootCommand("How small a change makes my network wrong?")
        {
            AttackCommand.Create(output, error, cancellationToken),
            DoctorCommand.Create(output),
        };
        var parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            error.WriteLine($"brink: {string.Join(" ", parsed.Errors.Select(problem => problem.Message))} See brink {string.Join(' ', arguments.TakeWhile(word => !word.StartsWith('-')).Append("--help"))}.");
            return ExitCode.BadInput;
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (BadInputException exception)
        {
            error.WriteLine($"brink: {exception.Message}");
            return ExitCode.BadInput;
        }
        catch (OutOfMemoryException)
        {
            error.WriteLine("brink: The memory did not suffice; use a smaller --batch-size or --limit.");
            return ExitCode.UnexpectedFailure;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Cancelled;
        }
        catch (Exception exception)
        {
            error.WriteLine($"brink: Something went wrong that Brink did not foresee; please report it with these lines.{Environment.NewLine}{exception}");
            return ExitCode.UnexpectedFailure;
        }
    }
}
