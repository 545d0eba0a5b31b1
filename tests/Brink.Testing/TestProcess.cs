using System.Diagnostics;
using System.Text;

namespace Brink.Testing;

/// <summary>A process that a test starts, with its output captured; it and its children are killed on <see cref="Dispose"/>.</summary>
public sealed class TestProcess : IDisposable
{
    /// <summary>The time after which a process is considered to hang; far more than any test needs.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();

    private TestProcess(ProcessStartInfo start)
    {
        _process = new() { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Append(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Append(_error, line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The standard output so far; complete after <see cref="ExitCodeAsync"/>.</summary>
    public string Output => Text(_output);

    /// <summary>The standard error so far; complete after <see cref="ExitCodeAsync"/>.</summary>
    public string Error => Text(_error);

    /// <summary>Starts a process.</summary>
    /// <param name="file">The path of the executable, or its name on the PATH.</param>
    /// <param name="arguments">The arguments.</param>
    public static TestProcess Start(string file, params IEnumerable<string> arguments) =>
        new(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false });

    /// <summary>Waits until the process has ended and returns its exit code.</summary>
    /// <exception cref="TimeoutException">The process does not end.</exception>
    public async Task<int> ExitCodeAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException exception)
        {
            throw new TimeoutException(Describe($"The process does not end within {Limit}."), exception);
        }

        return _process.ExitCode;
    }

    /// <summary>Waits until a condition holds that depends on the process.</summary>
    /// <param name="condition">The condition, tested every few milliseconds.</param>
    /// <exception cref="InvalidOperationException">The process ended before the condition held.</exception>
    /// <exception cref="TimeoutException">The condition did not hold in time.</exception>
    public async Task WaitUntilAsync(Func<bool> condition)
    {
        var start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (_process.HasExited && !condition())
            {
                throw new InvalidOperationException(Describe("The process ended too early."));
            }

            if (Stopwatch.GetElapsedTime(start) > Limit)
            {
                throw new TimeoutException(Describe($"The condition does not hold after {Limit}."));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(2));
        }
    }

    /// <summary>Sends the process a POSIX signal.</summary>
    /// <param name="name">The name of the signal, such as <c>TERM</c>.</param>
    public async Task SignalAsync(string name)
    {
        using var kill = Start("kill", $"-{name}", $"{_process.Id}");
        if (await kill.ExitCodeAsync() is not 0 and var exitCode)
        {
            throw new InvalidOperationException(kill.Describe($"kill ended with exit code {exitCode}."));
        }
    }

    /// <summary>Kills the process and its children, and waits until it has ended.</summary>
    public Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        return ExitCodeAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private static void Append(StringBuilder text, string? line)
    {
        lock (text)
        {
            // Null marks the end of the stream.
            _ = line is null ? text : text.Append(line).Append('\n');
        }
    }

    private static string Text(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }

    private string Describe(string what) => $"{what}\n{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)}\n{Error}{Output}";
}
