using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Brink.Testing;

/// <summary>Serves one file over HTTP on this machine, one connection at a time, as well or as badly as a test needs.</summary>
public sealed class TinyServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly byte[] _content;
    private readonly bool _knowsRanges;
    private readonly Queue<int> _breaks;
    private readonly List<string?> _ranges = [];

    /// <param name="content">The file.</param>
    /// <param name="knowsRanges">Whether it sends the part that is asked for, or always everything.</param>
    /// <param name="breaks">After how many bytes it breaks off its first answers; the answers after those are whole.</param>
    public TinyServer(byte[] content, bool knowsRanges = true, params int[] breaks)
    {
        (_content, _knowsRanges, _breaks) = (content, knowsRanges, new(breaks));
        _listener.Start();
        _ = Task.Run(ServeAsync);
    }

    /// <summary>The address of the file; any path will do.</summary>
    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/file");

    /// <summary>What each request asked for: <c>bytes=5-</c>, or null for everything.</summary>
    public IReadOnlyList<string?> Ranges
    {
        get
        {
            lock (_ranges)
            {
                return [.. _ranges];
            }
        }
    }

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync()
    {
        while (true)
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync();
                await AnswerAsync(client.GetStream());
            }
            catch (Exception exception) when (exception is IOException or SocketException && _listener.Server.IsBound)
            {
                // The client left; the next may come.
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        string? range = null;
        while (await reader.ReadLineAsync() is { Length: > 0 } line)
        {
            range = line.StartsWith("Range: ", StringComparison.OrdinalIgnoreCase) ? line["Range: ".Length..] : range;
        }

        lock (_ranges)
        {
            _ranges.Add(range);
        }

        var start = _knowsRanges && range is not null ? int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture) : 0;
        if (start >= _content.Length)
        {
            await WriteAsync(stream, $"416 Range Not Satisfiable\r\nContent-Range: bytes */{_content.Length}\r\nContent-Length: 0");
            return;
        }

        var status = start > 0 ? $"206 Partial Content\r\nContent-Range: bytes {start}-{_content.Length - 1}/{_content.Length}" : "200 OK";
        await WriteAsync(stream, $"{status}\r\nContent-Length: {_content.Length - start}");
        var most = _breaks.TryDequeue(out var breakAfter) ? breakAfter : _content.Length;
        await stream.WriteAsync(_content.AsMemory(start, Math.Min(most, _content.Length - start)));
    }

    private static Task WriteAsync(NetworkStream stream, string head) =>
        stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {head}\r\nConnection: close\r\n\r\n")).AsTask();
}
