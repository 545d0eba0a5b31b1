using System.Diagnostics;
using System.Globalization;

namespace Brink.Fuzzing;

/// <summary>Runs the command on damaged TorchScript files, which libtorch reads in a process of its own.</summary>
internal static class ScriptCommand
{
    private const int LongestRun = 30;

    /// <summary>Runs the command once per execution and writes a line for each to a log. Executions that are in the log already are left out.</summary>
    /// <param name="command">The command and its arguments, separated by spaces; FILE stands for the damaged file.</param>
    /// <param name="script">An undamaged TorchScript file.</param>
    /// <param name="executions">The first execution, and the one after the last.</param>
    /// <param name="seed">The seed of all executions.</param>
    /// <param name="log">The file of the log.</param>
    /// <param name="workers">The number of processes that run at once.</param>
    /// <returns>The number of runs that ended wrongly: with another exit code than 0, 2 or 3, with more or less than one line for 2, or after more than 30 seconds.</returns>
    public static int Run(string command, string script, (int First, int End) executions, int seed, string log, int workers)
    {
        var valid = File.ReadAllBytes(script);
        string[] known = File.Exists(log) ? File.ReadAllLines(log) : [];
        var done = known.Select(line => int.Parse(line.Split('\t')[0], CultureInfo.InvariantCulture)).ToHashSet();
        var wrong = known.Count(line => line.Split('\t')[1] == "WRONG");
        using var writer = new StreamWriter(log, append: true) { AutoFlush = true };
        using var folder = new TemporaryFolder();
        Parallel.For(executions.First, executions.End, new() { MaxDegreeOfParallelism = workers }, execution =>
        {
            if (done.Contains(execution))
            {
                return;
            }

            var line = Execute(command, folder.Write($"{execution}.pt", Damaged(valid, seed, execution)));
            lock (writer)
            {
                writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{execution}\t{line}"));
                wrong += line.StartsWith("WRONG", StringComparison.Ordinal) ? 1 : 0;
            }

            File.Delete(folder[$"{execution}.pt"]);
        });
        return wrong;
    }

    /// <summary>Damages a file: three times of four inside its archive, with correct checksums, so that libtorch reads it.</summary>
    public static byte[] Damaged(byte[] valid, int seed, int execution)
    {
        var random = Fuzzer.Random(seed, execution);
        return execution % 4 > 0 ? Mutation.OfZip(random, valid) : Mutation.Of(random, valid, [valid]);
    }

    private static string Execute(string command, string file)
    {
        var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word == "FILE" ? file : word).ToArray();
        var start = new ProcessStartInfo(words[0], words[1..]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        var ended = process.WaitForExit(TimeSpan.FromSeconds(2 * LongestRun));
        if (!ended)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }

        _ = output.GetAwaiter().GetResult();
        var lines = error.GetAwaiter().GetResult().Trim().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var sound = ended && clock.Elapsed.TotalSeconds <= LongestRun && process.ExitCode is 0 or 2 or 3 && (process.ExitCode != 2 || lines.Length == 1);
        return string.Create(CultureInfo.InvariantCulture, $"{(sound ? "ok" : "WRONG")}\t{process.ExitCode}\t{clock.Elapsed.TotalSeconds:F1}\t{lines.Length}\t{Excerpt.Cut(string.Join(" | ", lines), 400)}");
    }
}
