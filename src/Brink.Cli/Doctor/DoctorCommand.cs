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
        var find = new Option<bool>("--find-libtorch") { Description = "Look for the libtorch of a PyTorch installation (that of python3, and BRINK_LIBTORCH), try whether it fits, and print how to use it." };
        var command = new Command("doctor", "Print versions, threads, devices, the state of the native library and the data folders, for bug reports.") { find };
        command.SetAction(parsed => parsed.GetValue(find) ? LibtorchSearch.Run(output) : Run(output));
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
        Line("libtorch", error is null ? UserLibtorch.InUse is { } folder ? $"{folder.Describe()} loads from {folder.Path}" : $"{torch.__version__} loads" : $"does not load: {error}");
        Line("symbol fix", TorchLibrary.DescribeFix());
        if (error is null)
        {
            Line("threads", $"{torch.get_num_threads()}");
            var hasGpu = torch.cuda.is_available();
            Line("devices", hasGpu ? $"cpu, cuda ({torch.cuda.device_count()})" : TorchLibrary.HasCuda ? "cpu (this libtorch supports CUDA, but finds no GPU)" : "cpu");
            Line("TF32", hasGpu ? "off; with --tf32 on in the search only" : "off: only a GPU uses it");
        }

        Line("embedded", $"model {SampleNetwork.Name}, images signs");
        Line(DataLocations.Variable, Environment.GetEnvironmentVariable(DataLocations.Variable) is { Length: > 0 } data ? State(data) : "not set");
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
