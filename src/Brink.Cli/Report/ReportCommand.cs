using System.CommandLine;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;

namespace Brink.Cli.Report;

/// <summary><c>brink report</c>: writes the report of finished runs.</summary>
internal static class ReportCommand
{
    public static Command Create(TextWriter output)
    {
        var runs = new Argument<string[]>("RUN") { Description = "Run folders, as written by brink attack --out, or the folder of a comparison. Several runs are compared.", Arity = ArgumentArity.OneOrMore };
        var file = new Option<string?>("--out") { Description = "The HTML file to write; required with several folders. [default: report.html in the folder]", HelpName = "FILE" };
        var command = new Command("report", "Write the results of runs as one self-contained HTML page with figures and images.") { runs, file };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(file) is "")
            {
                throw new BadInputException("The report needs the name of a file, but an empty name was given; add a name such as --out report.html.");
            }

            TorchLibrary.Require();
            output.WriteLine($"Written to {ReportFile.Write(parsed.GetValue(runs)!, parsed.GetValue(file))}");
            return ExitCode.Done;
        });
        return command;
    }
}
