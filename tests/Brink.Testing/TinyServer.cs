using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Brink.Testing;

/// <summary>An HTTP server on this machine that serves one file, one connection at a time, and can simulate faults.</summary>
public sealed class TinyServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly byte[] _content;
    private readonly bool _supportsRanges;
    private readonly Queue<int> _breaks;
    private byte[][]? _responses;
    private readonly List<string?> _ranges = [];

    /// <summary>Starts the server.</summary>
    /// <param name="content">The content of the file.</param>
    /// <param name="supportsRanges">Whether range requests are supported; otherwise every response contains the whole file.</param>
    /// <param name="breaks">The number of bytes after which each of the first responses is cut off; later responses are complete.</param>
    public TinyServer(byte[] content, bool supportsRanges = true, params int[] breaks)
    {
        (_content, _supportsRanges, _breaks) = (content, supportsRanges, new(breaks));
        _listener.Start();
        _ = Task.Run(ServeAsync);
    }

    /// <summary>Starts a server that answers with given bytes.</summary>
    /// <param name="responses">The complete responses with their headers; the last one is repeated. An empty one resets the connection.</param>
    public static TinyServer Answering(params byte[][] responses) => new([]) { _responses = responses };

    /// <summary>The address of the file; the path is ignored.</summary>
    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/file");

    /// <summary>The range of each request, such as <c>bytes=5-</c>; null for the whole file.</summary>
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
                await RespondAsync(client.GetStream());
            }
            catch (Exception exception) when (exception is IOException or SocketException && _listener.Server.IsBound)
            {
                // The client disconnected; wait for the next one.
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task RespondAsync(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        string? range = null;
        while (await reader.ReadLineAsync() is { Length: > 0 } line)
        {
            range = line.StartsWith("Range: ", StringComparison.OrdinalIgnoreCase) ? line["Range: ".Length..] : range;
        }

        int number;
        lock (_ranges)
        {
            number = _ranges.Count;
            _ranges.Add(range);
        }

        if (_responses is not null)
        {
            var response = _responses[Math.Min(number, _responses.Length - 1)];
            stream.Socket.LingerState = new(enable: response.Length == 0, seconds: 0);
            await stream.WriteAsync(response);
            return;
        }

        var start = _supportsRanges && range is not null ? int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture) : 0;
        if (start >= _content.Length)
        {
            await WriteAsync(stream, $"416 Range Not Satisfiable\r\nContent-Range: bytes */{_content.Length}\r\nContent-Length: 0");
            return;
        }

        var status = start > 0 ? $"206 Partial Content\r\nContent-Range: bytes {start}-{_content.Length - 1}/{_content.Length}" : "200 OK";
        await WriteAsync(stream, $"{status}\r\nContent-Length: {_content.Length - start}");
        var limit = _breaks.TryDequeue(out var breakAfter) ? breakAfter : _content.Length;
        await stream.WriteAsync(_content.AsMemory(start, Math.Min(limit, _content.Length - start)));
    }

    private static Task WriteAsync(NetworkStream stream, string head) =>
        stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {head}\r\nConnection: close\r\n\r\n")).AsTask();
}
