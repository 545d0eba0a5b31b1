using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Brink.Models;

namespace Brink.Cli.Inputs;

/// <summary>A trial of a TorchScript file in another process, because its code can end a process, take all memory or never return.</summary>
/// <remarks>The process is this command with the hidden verb of <see cref="ModelTrialCommand"/>. It reads a request as a line of JSON, and ends when its standard input is closed.</remarks>
internal static class ModelTrial
{
    /// <summary>The hidden verb that runs the trial.</summary>
    public const string Verb = "try-model";

    /// <summary>The start of the line with the answer; the network may print lines too.</summary>
    public const string Marker = "brink-trial:";

    private const long Gigabyte = 1L << 30;
    private const long DefaultMemory = 3 * Gigabyte;

    // Short enough that an allocation of gigabytes does not get far beyond the limit.
    private const int PollMilliseconds = 5;

    // The part of the output that is kept, because a network can print without end.
    private const int LongestOutput = 1 << 20;

    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(5);

    /// <summary>Runs a trial.</summary>
    /// <param name="request">The file and the images.</param>
    /// <param name="seconds">The longest time.</param>
    /// <param name="memory">The largest memory in bytes; null for the default.</param>
    /// <param name="cancellationToken">Ends the process.</param>
    /// <returns>The traits of the network.</returns>
    /// <exception cref="BadInputException">The file cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The trial was cancelled.</exception>
    public static TorchScriptTraits Run(TrialRequest request, int seconds, long? memory, CancellationToken cancellationToken)
    {
        if (seconds < 1)
        {
            throw new BadInputException(FormattableString.Invariant($"The trial of a TorchScript file needs at least 1 second, but {seconds} was given; use --trust-model to leave it out."));
        }

        var most = memory ?? DefaultMemory + (File.Exists(request.Path) ? 2 * new FileInfo(request.Path).Length : 0);
        using var process = Start();
        try
        {
            var output = ReadTailAsync(process.StandardOutput.BaseStream);
            var error = ReadTailAsync(process.StandardError.BaseStream);
            Send(process, request);
            var start = Stopwatch.GetTimestamp();
            while (!process.WaitForExit(PollMilliseconds))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var taken = MemoryOf(process);
                if (Stopwatch.GetElapsedTime(start).TotalSeconds > seconds)
                {
                    throw new BadInputException(FormattableString.Invariant($"The network in {request.Path} should load and process an image within {seconds} seconds, but it did not and took {(double)taken / Gigabyte:0.0} GB of memory by then, perhaps because of an endless loop; allow more time by --trial-seconds."));
                }

                if (taken > most)
                {
                    throw new BadInputException(FormattableString.Invariant($"The network in {request.Path} should load and process an image in {(most < Gigabyte ? $"{most >> 20} MB" : FormattableString.Invariant($"{(double)most / Gigabyte:0.#} GB"))} of memory, but it took more; allow more by --trial-memory."));
                }
            }

            Task.WaitAll([output, error], (int)Drain.TotalMilliseconds, cancellationToken);
            var answer = Answer(output.IsCompletedSuccessfully ? output.Result : "") ?? throw Ended(request.Path, process.ExitCode, error.IsCompletedSuccessfully ? error.Result : "");
            return answer.Traits ?? throw new BadInputException(answer.Refusal!);
        }
        finally
        {
            Kill(process);
        }
    }

    /// <summary>Describes a process that runs this command again, with its input and output redirected.</summary>
    /// <param name="arguments">The arguments.</param>
    public static ProcessStartInfo StartInfo(params IEnumerable<string> arguments)
    {
        var (file, first) = Command();
        var start = new ProcessStartInfo(file, [.. first, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        // The end of the process is expected and needs no dump.
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        return start;
    }

    private static Process Start()
    {
        var start = StartInfo(UserLibtorch.InUse is { } folder ? [Verb, UserLibtorch.FlagName, folder.Path] : [Verb]);
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            throw new BadInputException($"The process that tries a TorchScript file could not be started ({exception.Message.TrimEnd('.')}); use --trust-model to load the file without a trial.", exception);
        }
    }

    /// <summary>Finds the command line that starts this command again.</summary>
    private static (string File, string[] Arguments) Command()
    {
        var (host, assembly) = (Environment.ProcessPath ?? "", typeof(ModelTrial).Assembly);
        if (Path.GetFileNameWithoutExtension(host) == "dotnet")
        {
            return (host, [assembly.Location]);
        }

        // A program that contains this assembly as a library, such as a test, has its executable beside it.
        return (System.Reflection.Assembly.GetEntryAssembly()?.Location == assembly.Location ? host : Path.ChangeExtension(assembly.Location, OperatingSystem.IsWindows() ? ".exe" : null)!, []);
    }

    private static void Send(Process process, TrialRequest request)
    {
        try
        {
            process.StandardInput.WriteLine(JsonSerializer.Serialize(request));
            process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // The process has ended already; its exit code and error stream tell the reason.
        }
    }

    private static long MemoryOf(Process process)
    {
        try
        {
            process.Refresh();
            return process.WorkingSet64;
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception or IOException)
        {
            // It has ended since it was last asked.
            return 0;
        }
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit(Drain);
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has ended.
        }
    }

    private static async Task<string> ReadTailAsync(Stream stream)
    {
        var (tail, buffer) = (new List<byte>(), new byte[1 << 16]);
        for (int read; (read = await stream.ReadAsync(buffer).ConfigureAwait(false)) > 0;)
        {
            tail.AddRange(buffer.AsSpan(0, read));
            if (tail.Count > 2 * LongestOutput)
            {
                tail.RemoveRange(0, tail.Count - LongestOutput);
            }
        }

        return Encoding.UTF8.GetString([.. tail]);
    }

    /// <summary>Finds the answer among the lines that the network printed.</summary>
    private static TrialAnswer? Answer(string output) => output.Split('\n').Where(line => line.StartsWith(Marker, StringComparison.Ordinal)).Select(line =>
    {
        try
        {
            return JsonSerializer.Deserialize<TrialAnswer>(line[Marker.Length..]);
        }
        catch (JsonException)
        {
            return null;
        }
    }).FirstOrDefault(answer => answer is not null && (answer.Traits is null) != (answer.Refusal is null));

    private static BadInputException Ended(string path, int exitCode, string error)
    {
        const int killed = 128 + 9;
        return TorchScriptError.Thrown(error) is { } reason
            ? new($"The network in {path} cannot be run, because libtorch ended the process that tried it ({reason}); if the file was written by a newer PyTorch, save it with an older one.")
            : new(string.Create(CultureInfo.InvariantCulture, $"The network in {path} cannot be run, because the process that tried it ended without an answer ({(exitCode == killed ? "killed by the system, usually for lack of memory" : $"exit code {exitCode}")}); remove from it what ends a process, such as a division of whole numbers by zero."));
    }
}

/// <summary>The request of a trial.</summary>
/// <param name="Path">The file.</param>
/// <param name="Request">The images and outputs.</param>
/// <param name="Device">The device, as on the command line.</param>
/// <param name="Threads">The number of threads.</param>
internal sealed record TrialRequest(string Path, TorchScriptRequest Request, string Device, int Threads);

/// <summary>The answer of a trial: one of the two.</summary>
/// <param name="Traits">The traits of the network.</param>
/// <param name="Refusal">The sentence with which the file is refused.</param>
internal sealed record TrialAnswer(TorchScriptTraits? Traits, string? Refusal);
