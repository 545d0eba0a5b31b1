using System.Diagnostics;
using System.Globalization;
using TorchSharp;

namespace Brink.Fuzzing;

/// <summary>A reader of a file, and valid files that it reads.</summary>
/// <param name="Name">The name.</param>
/// <param name="Seeds">The valid files.</param>
/// <param name="Damage">The function that damages a file.</param>
/// <param name="Read">The function that reads a file. It returns false, or throws a <see cref="BadInputException"/>, if the reader refuses it.</param>
internal sealed record Reader(string Name, IReadOnlyList<byte[]> Seeds, Func<Random, byte[], byte[]> Damage, Func<byte[], bool> Read);

/// <summary>A call of a reader that went wrong.</summary>
/// <param name="Execution">The number of the call, which reproduces it.</param>
/// <param name="Problem">The exception, the time or the memory.</param>
internal sealed record Finding(long Execution, string Problem);

/// <summary>The limits of a call.</summary>
/// <param name="Seconds">The maximum time. A call of ten times that has hung.</param>
/// <param name="Bytes">The maximum resident memory of the process.</param>
internal sealed record FuzzLimits(double Seconds, long Bytes);

/// <summary>Calls a reader on damaged files and collects calls that end in another way than with a result or a message.</summary>
/// <param name="reader">The reader.</param>
/// <param name="seed">The seed of the damages.</param>
/// <param name="limits">The limits of a call.</param>
internal sealed class Fuzzer(Reader reader, int seed, FuzzLimits limits)
{
    // A message is cut at 1,000 characters by the command; a warning lists at most five names.
    private const int LongestMessage = 1000;

    private long _execution = -1;
    private long _started;
    private long _peak;

    /// <summary>The number of calls.</summary>
    public long Executions { get; private set; }

    /// <summary>The number of damaged files that were still readable.</summary>
    public long Accepted { get; private set; }

    /// <summary>The longest call in seconds, and its execution.</summary>
    public (double Seconds, long Execution) Slowest { get; private set; }

    /// <summary>The largest resident memory of the process during the calls, measured every 20 ms.</summary>
    public long PeakMemory => Interlocked.Read(ref _peak);

    /// <summary>The calls that went wrong, the first of each kind of exception.</summary>
    public List<Finding> Findings { get; } = [];

    /// <summary>The number of all calls that went wrong.</summary>
    public long FindingCount { get; private set; }

    /// <summary>Creates the random numbers of an execution.</summary>
    public static Random Random(int seed, long execution) => new(unchecked((int)(((ulong)seed * 0x9E3779B97F4A7C15) ^ ((ulong)execution * 0xBF58476D1CE4E5B9) >> 16)));

    /// <summary>Returns the damaged file of an execution.</summary>
    public byte[] File(long execution)
    {
        var random = Random(seed, execution);
        return reader.Damage(random, reader.Seeds[random.Next(reader.Seeds.Count)]);
    }

    /// <summary>Calls the reader until the executions or the time are used up.</summary>
    /// <param name="first">The first execution.</param>
    /// <param name="count">The number of executions.</param>
    /// <param name="time">The maximum time.</param>
    /// <param name="hung">The action on a call that takes more than ten times the permitted time, which cannot be ended; null for none.</param>
    public void Run(long first, long count, TimeSpan time, Action<long>? hung = null)
    {
        // Every seed is readable; otherwise its damaged forms would check nothing.
        foreach (var (index, valid) in reader.Seeds.Index())
        {
            if (!reader.Read(valid))
            {
                throw new InvalidOperationException($"Seed {index} of {reader.Name} is not readable.");
            }
        }

        using var stop = new ManualResetEventSlim();
        var watch = new Thread(() => Watch(stop, hung)) { IsBackground = true };
        watch.Start();
        var clock = Stopwatch.StartNew();
        for (var execution = first; execution < first + count && clock.Elapsed < time; execution++)
        {
            Call(execution);
        }

        stop.Set();
        watch.Join();
    }

    private void Call(long execution)
    {
        var file = File(execution);
        var peak = PeakMemory;
        var start = Stopwatch.GetTimestamp();
        Interlocked.Exchange(ref _started, start);
        Interlocked.Exchange(ref _execution, execution);
        try
        {
            using var scope = torch.NewDisposeScope();
            Accepted += reader.Read(file) ? 1 : 0;
        }
        catch (BadInputException exception)
        {
            CheckText(execution, exception.Message);
        }
        catch (UnprintableTextException exception)
        {
            Add(execution, exception.Message);
        }
        catch (Exception exception)
        {
            Add(execution, exception.ToString());
        }

        Interlocked.Exchange(ref _execution, -1);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Slowest = seconds > Slowest.Seconds ? (seconds, execution) : Slowest;
        Executions++;
        if (seconds > limits.Seconds)
        {
            Add(execution, string.Create(CultureInfo.InvariantCulture, $"{seconds:F1} s"));
        }

        if (PeakMemory > limits.Bytes && peak <= limits.Bytes)
        {
            Add(execution, string.Create(CultureInfo.InvariantCulture, $"{PeakMemory / 1e6:F0} MB"));
        }
    }

    /// <summary>Checks a message: one line, without control characters, as long as a person reads.</summary>
    private void CheckText(long execution, string message)
    {
        if (Unprintable(message) is { } problem)
        {
            Add(execution, problem);
        }
    }

    /// <summary>Describes the fault of a message or warning; null for none.</summary>
    public static string? Unprintable(string message) =>
        message.Length > LongestMessage ? $"A message of {message.Length} characters: {message[..200]}…"
        : message.Any(char.IsControl) ? $"A message with control characters: {Excerpt.Line(message)}"
        : message.EndsWith('.') ? null : $"A message that is no sentence: {message}";

    private void Add(long execution, string problem)
    {
        FindingCount++;
        // One of each kind: the exception and the place where it was thrown.
        var kind = Kind(problem);
        if (!Findings.Exists(finding => Kind(finding.Problem) == kind))
        {
            Findings.Add(new(execution, problem));
        }
    }

    private static string Kind(string problem)
    {
        var lines = problem.Split('\n');
        return lines[0].Split(':')[0] + Array.Find(lines, line => line.Contains(" at Brink.", StringComparison.Ordinal));
    }

    private void Watch(ManualResetEventSlim stop, Action<long>? hung)
    {
        while (!stop.Wait(20))
        {
            var execution = Interlocked.Read(ref _execution);
            _peak = Math.Max(_peak, Environment.WorkingSet);
            if (execution >= 0 && Stopwatch.GetElapsedTime(Interlocked.Read(ref _started)).TotalSeconds > 10 * limits.Seconds && Interlocked.Read(ref _execution) == execution)
            {
                hung?.Invoke(execution);
            }
        }
    }
}

/// <summary>The exception for a warning that a person cannot read.</summary>
internal sealed class UnprintableTextException(string message) : Exception(message);
