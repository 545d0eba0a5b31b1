using System.CommandLine;
using System.Runtime.InteropServices;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;
using Brink.Data;
using Brink.Evaluation.Results;
using Brink.Models;
using TorchSharp;

namespace Brink.Cli.Doctor;

/// <summary><c>brink doctor</c>: prints the information about the machine that a bug report needs.</summary>
internal static class DoctorCommand
{
    public static Command Create(TextWriter output)
    {
        var command = new Command("doctor", "Print versions, threads, devices, the state of the native library and the data folders, for bug reports.");
        command.SetAction(_ => Run(output));
        return command;
    }

    private static int Run(TextWriter output)
    {
        void Line(string name, string value) => output.WriteLine($"{name,-16} {value}");
        Line("brink", AttackSummary.Version);
        Line(".NET", RuntimeInformation.FrameworkDescription);
        Line("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.RuntimeIdentifier}");
        Line("processors", $"{Environment.ProcessorCount}");

        var error = TorchLibrary.LoadError();
        Line("TorchSharp", $"{typeof(torch).Assembly.GetName().Version}");
        Line("libtorch", error is null ? $"{torch.__version__} loads" : $"does not load: {error}");
        Line("symbol fix", TorchLibrary.DescribeFix());
        if (error is null)
        {
            Line("threads", $"{torch.get_num_threads()}");
            Line("devices", torch.cuda.is_available() ? $"cpu, cuda ({torch.cuda.device_count()})" : "cpu");
        }

        Line("embedded", $"model {SampleNetwork.Name}, images signs");
        Line(DataLocations.Variable, Environment.GetEnvironmentVariable(DataLocations.Variable) is { Length: > 0 } folder ? State(folder) : "not set");
        Line("data folder", State(DataLocations.UserFolder));
        return error is null ? ExitCode.Done : ExitCode.UnexpectedFailure;
    }

    private static string State(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return $"{folder} (does not exist)";
        }

        try
        {
            var entries = Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal).Take(8).ToArray();
            return $"{folder} ({(entries.Length == 0 ? "empty" : string.Join(", ", entries))})";
        }
        catch (UnauthorizedAccessException)
        {
            return $"{folder} (not readable)";
        }
    }
}
