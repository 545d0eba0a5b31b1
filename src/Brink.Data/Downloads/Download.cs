using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Brink.Data;

/// <summary>Downloads a file over HTTP. An interrupted download is continued, and the file gets its name only when its checksum is correct.</summary>
/// <remarks>Received bytes are stored beside the file, under its name with the suffix <c>.partial</c>.</remarks>
internal static class Download
{
    // Longer than the usual pauses of a slow connection, and short enough that a dead one is noticed.
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(30);
    private static readonly HttpClient Client = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(15) });

    /// <summary>Downloads a file, unless it exists already with the correct checksum.</summary>
    /// <param name="source">The address.</param>
    /// <param name="path">The path of the file; its folder is created.</param>
    /// <param name="md5">The MD5 of the file in hexadecimal digits.</param>
    /// <param name="progress">The receiver of progress reports; null for none.</param>
    /// <param name="cancellationToken">A token that cancels the download; received bytes are kept.</param>
    /// <returns>A task that completes when the file exists.</returns>
    /// <exception cref="BadInputException">Thrown when the server cannot be reached or returns an error, the file cannot be written, or its checksum is wrong.</exception>
    public static async Task FetchAsync(Uri source, string path, string md5, IProgress<DownloadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentException.ThrowIfNullOrEmpty(path);
        var partial = $"{path}.partial";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            if (File.Exists(path) && Md5Of(path).Equals(md5, StringComparison.OrdinalIgnoreCase))
            {
                return;
            }

            // The file may be complete already, if an earlier run was stopped before it renamed the file.
            if (Length(partial) == 0 || !Md5Of(partial).Equals(md5, StringComparison.OrdinalIgnoreCase))
            {
                await ReceiveAllAsync(source, partial, progress, cancellationToken);
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
            throw new BadInputException($"The file {path} could not be written ({exception.Message.TrimEnd('.')}); free space or choose another folder.", exception);
        }
    }

    private static async Task ReceiveAllAsync(Uri source, string partial, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken)
    {
        while (true)
        {
            var before = Length(partial);
            try
            {
                await ReceiveAsync(source, partial, progress, cancellationToken);
                return;
            }
            catch (InterruptedTransferException exception)
            {
                // Attempts continue as long as each receives at least one byte.
                if (Length(partial) <= before)
                {
                    throw new BadInputException($"The download from {source} was interrupted ({exception.Message.TrimEnd('.')}); run the command again to continue after the {Length(partial)} bytes received.", exception);
                }
            }
            catch (HttpRequestException exception)
            {
                throw new BadInputException($"The file at {source} could not be downloaded ({exception.Message.TrimEnd('.')}); check the connection and run the command again, or download it from another address.", exception);
            }
        }
    }

    private static async Task ReceiveAsync(Uri source, string partial, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken)
    {
        var received = Length(partial);
        using var request = new HttpRequestMessage(HttpMethod.Get, source);
        request.Headers.Range = received > 0 ? new RangeHeaderValue(received, null) : null;
        using var response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        var range = response.Content.Headers.ContentRange;
        if (received > 0 && (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable || (response.StatusCode == HttpStatusCode.PartialContent && range?.From != received)))
        {
            // The received bytes do not match the file on the server.
            File.Delete(partial);
            await ReceiveAsync(source, partial, progress, cancellationToken);
            return;
        }

        if (!response.IsSuccessStatusCode)
        {
            throw new BadInputException($"The file at {source} could not be downloaded, because the server returned {(int)response.StatusCode} {response.ReasonPhrase}; check the address, or download it from another one.");
        }

        // A server that does not support ranges sends the whole file again.
        received = response.StatusCode == HttpStatusCode.PartialContent ? received : 0;
        var total = range?.Length ?? received + response.Content.Headers.ContentLength;
        await using var file = new FileStream(partial, received > 0 ? FileMode.Append : FileMode.Create, FileAccess.Write);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[1 << 17];
        progress?.Report(new(received, total));
        for (int read; (read = await ReadAsync(body, buffer, cancellationToken)) > 0;)
        {
            await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            received += read;
            progress?.Report(new(received, total));
        }
    }

    private static async Task<int> ReadAsync(Stream body, byte[] buffer, CancellationToken cancellationToken)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        silence.CancelAfter(ReadTimeout);
        try
        {
            return await body.ReadAsync(buffer, silence.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new InterruptedTransferException(new TimeoutException($"no data arrived for {ReadTimeout.TotalSeconds:F0} seconds", exception));
        }
        catch (IOException exception)
        {
            throw new InterruptedTransferException(exception);
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

/// <summary>The progress of a download.</summary>
/// <param name="Received">The number of received bytes, including earlier attempts.</param>
/// <param name="Total">The size of the file in bytes; null if the server does not state it.</param>
internal readonly record struct DownloadProgress(long Received, long? Total);

/// <summary>The exception for an interrupted download. Received bytes are kept, and another attempt continues after them.</summary>
/// <param name="cause">The cause of the interruption.</param>
internal sealed class InterruptedTransferException(Exception cause) : Exception(cause.Message, cause);
