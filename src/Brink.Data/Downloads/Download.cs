using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Brink.Data;

/// <summary>Downloads a file over HTTP. An interrupted download is continued, and the file gets its name only when its checksum is correct.</summary>
/// <remarks>Received bytes are stored beside the file, under its name with the suffix <c>.partial</c>.</remarks>
internal static class Download
{
    // The limits are those of each download. The client's own timeout is reported as a cancellation, as if the user had cancelled.
    private static readonly HttpClient Client = new() { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Downloads a file, unless it exists already with the correct checksum.</summary>
    /// <param name="source">The address.</param>
    /// <param name="path">The path of the file; its folder is created.</param>
    /// <param name="md5">The MD5 of the file in hexadecimal digits.</param>
    /// <param name="limits">The limits of the download.</param>
    /// <param name="progress">The receiver of progress reports; null for none.</param>
    /// <param name="cancellationToken">A token that cancels the download; received bytes are kept.</param>
    /// <returns>A task that completes when the file exists.</returns>
    /// <exception cref="BadInputException">Thrown when the server cannot be reached or returns an error, a limit is exceeded, the file cannot be written, or its checksum is wrong.</exception>
    public static async Task FetchAsync(Uri source, string path, string md5, DownloadLimits limits, IProgress<DownloadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            path = RegularFile.Output(path);
            var partial = RegularFile.Output($"{path}.partial");
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            if (File.Exists(path) && Md5Of(path).Equals(md5, StringComparison.OrdinalIgnoreCase))
            {
                return;
            }

            // The file may be complete already, if an earlier run was stopped before it renamed the file.
            if (Length(partial) == 0 || !Md5Of(partial).Equals(md5, StringComparison.OrdinalIgnoreCase))
            {
                await ReceiveAllAsync(source, partial, limits, progress, cancellationToken);
                var found = Md5Of(partial);
                if (!found.Equals(md5, StringComparison.OrdinalIgnoreCase))
                {
                    File.Delete(partial);
                    throw new BadInputException($"The file at {source} should have the MD5 {md5}, but the downloaded file has {found}; it was deleted, so try again, or download it from another address.");
                }
            }

            File.Move(partial, path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"The file {path} could not be written ({Excerpt.Reason(exception)}); free space or choose another folder.", exception);
        }
    }

    private static async Task ReceiveAllAsync(Uri source, string partial, DownloadLimits limits, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var before = Length(partial);
            try
            {
                await ReceiveAsync(source, partial, limits, progress, cancellationToken);
                return;
            }
            catch (InterruptedTransferException exception)
            {
                // Another attempt is made only if this one received at least one byte.
                if (Length(partial) <= before || attempt == limits.Attempts)
                {
                    throw new BadInputException($"The download from {source} was interrupted ({Excerpt.Reason(exception)}), the last time in attempt {attempt}; run the command again to continue after the {Length(partial)} bytes received.", exception);
                }
            }
            catch (HttpRequestException exception)
            {
                throw new BadInputException($"The file at {source} could not be downloaded ({Excerpt.Reason(exception.GetBaseException())}); check the connection and run the command again, or download it from another address.", exception);
            }
        }
    }

    private static async Task ReceiveAsync(Uri source, string partial, DownloadLimits limits, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken)
    {
        var received = Length(partial);
        using var request = new HttpRequestMessage(HttpMethod.Get, source);
        request.Headers.Range = received > 0 ? new RangeHeaderValue(received, null) : null;
        using var response = await SendAsync(request, limits, cancellationToken);
        var range = response.Content.Headers.ContentRange;
        if (received > 0 && (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable || (response.StatusCode == HttpStatusCode.PartialContent && range?.From != received)))
        {
            // The received bytes do not match the file on the server.
            File.Delete(partial);
            await ReceiveAsync(source, partial, limits, progress, cancellationToken);
            return;
        }

        if (!response.IsSuccessStatusCode)
        {
            throw new BadInputException($"The file at {source} could not be downloaded, because the server returned {(int)response.StatusCode} {Excerpt.Plain(response.ReasonPhrase ?? "")}; check the address, or download it from another one.");
        }

        // A server that does not support ranges sends the whole file again.
        received = response.StatusCode == HttpStatusCode.PartialContent ? received : 0;
        var total = range?.Length ?? received + response.Content.Headers.ContentLength;
        CheckSize(total ?? 0);
        await using var file = new FileStream(partial, received > 0 ? FileMode.Append : FileMode.Create, FileAccess.Write);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var (buffer, rate) = (new byte[1 << 17], new LeastRate(source, limits));
        progress?.Report(new(received, total));
        for (int read; (read = await rate.ReadAsync(body, buffer, cancellationToken)) > 0;)
        {
            received += read;
            CheckSize(received);
            await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            progress?.Report(new(received, total));
        }

        void CheckSize(long bytes)
        {
            if (bytes > limits.MostBytes)
            {
                throw new BadInputException($"The file at {source} should have at most {limits.MostBytes} bytes, but the server sends more; check the address, or download it from another one.");
            }
        }
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, DownloadLimits limits, CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        waiting.CancelAfter(limits.Window);
        try
        {
            return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, waiting.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BadInputException(FormattableString.Invariant($"The server of {request.RequestUri} should answer within {limits.Window.TotalSeconds:F0} seconds, but it did not; run the command again later, or download the file from another address."), exception);
        }
        catch (Exception exception) when (exception is UriFormatException or NotSupportedException)
        {
            // The address of a redirection or of a proxy.
            throw new HttpRequestException(exception.Message, exception);
        }
    }

    private static long Length(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    /// <summary>Computes the MD5 of a file. It detects damage, not attacks; it is the checksum that the publishers provide.</summary>
    private static string Md5Of(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(MD5.HashData(stream));
    }
}

/// <summary>The limits of a download, beyond which it is given up.</summary>
/// <param name="MostBytes">The largest size of the file in bytes.</param>
internal sealed record DownloadLimits(long MostBytes)
{
    /// <summary>The time within which the headers of a response must arrive, and over which the rate of a transfer is measured.</summary>
    /// <value>30 s: longer than the usual pauses of a slow connection, and short enough that a dead one is noticed.</value>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The smallest rate of a transfer in bytes per second.</summary>
    /// <value>1,000, at which a file of 170 MB would take two days.</value>
    public double LeastBytesPerSecond { get; init; } = 1000;

    /// <summary>The maximum number of attempts to continue a transfer that breaks off.</summary>
    /// <value>10.</value>
    public int Attempts { get; init; } = 10;
}

/// <summary>Reads a body and gives up if fewer bytes arrive within a window of time than the smallest rate allows.</summary>
/// <param name="source">The address of the file.</param>
/// <param name="limits">The limits of the download.</param>
internal sealed class LeastRate(Uri source, DownloadLimits limits)
{
    private readonly Stopwatch _window = Stopwatch.StartNew();
    private long _received;

    /// <summary>Reads the next bytes.</summary>
    /// <param name="body">The body of the response.</param>
    /// <param name="buffer">The buffer that receives the bytes.</param>
    /// <param name="cancellationToken">A token that cancels the download.</param>
    /// <returns>The number of bytes; 0 at the end.</returns>
    /// <exception cref="BadInputException">Thrown when too few bytes arrive.</exception>
    /// <exception cref="InterruptedTransferException">Thrown when the connection breaks.</exception>
    public async Task<int> ReadAsync(Stream body, byte[] buffer, CancellationToken cancellationToken)
    {
        Task<int>? pending = null;
        while (true)
        {
            try
            {
                // A read is not cancelled at the end of a window, because that would close the connection. It can throw at once.
                pending ??= body.ReadAsync(buffer, cancellationToken).AsTask();
                var read = await pending.WaitAsync(limits.Window > _window.Elapsed ? limits.Window - _window.Elapsed : TimeSpan.Zero, cancellationToken);
                _received += read;
                CheckRate();
                return read;
            }
            catch (TimeoutException)
            {
                CheckRate();
            }
            catch (IOException exception)
            {
                throw new InterruptedTransferException(exception);
            }
        }
    }

    private void CheckRate()
    {
        if (_window.Elapsed < limits.Window)
        {
            return;
        }

        if (_received < limits.LeastBytesPerSecond * limits.Window.TotalSeconds)
        {
            throw new BadInputException(FormattableString.Invariant($"The download from {source} should bring at least {limits.LeastBytesPerSecond:F0} bytes a second, but only {_received} bytes arrived within {_window.Elapsed.TotalSeconds:F0} seconds; run the command again later to continue, or download the file from another address."));
        }

        _received = 0;
        _window.Restart();
    }
}

/// <summary>The progress of a download.</summary>
/// <param name="Received">The number of received bytes, including earlier attempts.</param>
/// <param name="Total">The size of the file in bytes; null if the server does not state it.</param>
internal readonly record struct DownloadProgress(long Received, long? Total);

/// <summary>The exception for an interrupted download. Received bytes are kept, and another attempt continues after them.</summary>
/// <param name="cause">The cause of the interruption.</param>
internal sealed class InterruptedTransferException(Exception cause) : Exception(cause.GetBaseException().Message, cause);
