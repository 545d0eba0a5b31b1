using System.CommandLine;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;

namespace Brink.Cli.Report;

/// <summary><c>brink report</c>: makes a page of the folders of runs.</summary>
internal static class ReportCommand
{
    public static Command Create(TextWriter output)
    {
        var runs = new Argument<string[]>("RUN") { Description = "The folders of runs, as brink attack --out writes them, or of a comparison. Several are compared.", Arity = ArgumentArity.OneOrMore };
        var file = new Option<string?>("--out") { Description = "The file to write. [default: report.html in the folder; needed where several are given]", HelpName = "FILE" };
        var command = new Command("report", "Make one page of the results of runs, with figures and images, that needs neither network nor script.") { runs, file };
        command.SetAction(parsed =>
        {
            TorchLibrary.Require();
            output.WriteLine($"Written to {ReportFile.Write(parsed.GetValue(runs)!, parsed.GetValue(file))}");
            return ExitCode.Done;
        });
        return command;
    }
}
