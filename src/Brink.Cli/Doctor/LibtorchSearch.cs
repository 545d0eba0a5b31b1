using System.ComponentModel;
using System.Diagnostics;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;

namespace Brink.Cli.Doctor;

/// <summary><c>brink doctor --find-libtorch</c>: looks for a libtorch that the user has already, and says whether it fits.</summary>
internal static class LibtorchSearch
{
    // Finds PyTorch without importing it, which takes seconds and may print.
    private const string Script = "import importlib.util as u; s = u.find_spec('torch'); print(list(s.submodule_search_locations)[0] if s else '')";

    private static readonly string[] Interpreters = ["python3", "python"];
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Prints every libtorch that is found.</summary>
    /// <param name="output">The standard output.</param>
    /// <returns>The exit code: done if one fits.</returns>
    public static int Run(TextWriter output)
    {
        var found = Candidates().DistinctBy(candidate => candidate.Path, StringComparer.Ordinal).ToArray();
        var fitting = found.Where(candidate => Examine(candidate.Path, candidate.Source, output)).Select(candidate => candidate.Path).ToArray();
        if (fitting is [var first, ..])
        {
            output.WriteLine($"Use it by --libtorch {first}, or set {UserLibtorch.Variable} to this folder.");
            return ExitCode.Done;
        }

        output.WriteLine($"{(found.Length == 0 ? "No PyTorch was found" : "None of them can be used")}: install PyTorch {LibtorchFolder.BuiltFor} for your CUDA (pip install torch=={LibtorchFolder.BuiltFor}.*), and run this command again in the same environment.");
        return ExitCode.BadInput;
    }

    private static bool Examine(string path, string source, TextWriter output)
    {
        try
        {
            var folder = LibtorchFolder.Open(path, source);
            var reason = LibtorchTrial.Run(folder);
            output.WriteLine($"{source}: {folder.Path}, {folder.Describe()}: {(reason is null ? folder.IsBuiltFor ? "fits" : $"fits (TorchSharp is built for {LibtorchFolder.BuiltFor}; the self-test passes)" : $"does not fit: {reason}")}.");
            return reason is null;
        }
        catch (BadInputException exception)
        {
            output.WriteLine(Excerpt.Line(exception.Message));
            return false;
        }
    }

    private static IEnumerable<(string Path, string Source)> Candidates()
    {
        if (Environment.GetEnvironmentVariable(UserLibtorch.Variable) is { Length: > 0 } folder)
        {
            yield return (folder, $"The environment variable {UserLibtorch.Variable}");
        }

        foreach (var interpreter in Interpreters)
        {
            if (Ask(interpreter) is { Length: > 0 } package)
            {
                yield return (Path.Combine(package, "lib"), $"The PyTorch of {interpreter}");
            }
        }
    }

    /// <summary>Asks a Python interpreter for the folder of its PyTorch.</summary>
    /// <returns>The folder; null if there is no such interpreter, and empty if it has no PyTorch.</returns>
    private static string? Ask(string interpreter)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(interpreter, ["-c", Script]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
            var (answer, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            if (!process.WaitForExit(Limit))
            {
                process.Kill(entireProcessTree: true);
                return null;
            }

            return process.ExitCode == 0 ? answer.Result.Trim() : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
