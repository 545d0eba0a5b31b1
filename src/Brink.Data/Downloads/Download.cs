using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Brink.Data;

/// <summary>Fetches a file over HTTP: goes on from what an earlier attempt left, and gives the file its name only when its checksum is right.</summary>
/// <remarks>What has arrived lies beside it, under its name with <c>.partial</c> added.</remarks>
public static class Download
{
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(30);
    private static readonly HttpClient Client = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(15) });

    /// <summary>Fetches the file, unless it is here already.</summary>
    /// <param name="source">Where from.</param>
    /// <param name="path">Where to; its folder is created.</param>
    /// <param name="md5">The MD5 of the file, in hexadecimal digits.</param>
    /// <param name="progress">Hears how far it is.</param>
    /// <param name="cancellationToken">Stops it; what has arrived stays.</param>
    /// <exception cref="BadInputException">The server cannot be reached or refuses, the file cannot be written, or its checksum is another.</exception>
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

            // Complete already where an earlier run was stopped between the last byte and the new name.
            if (Length(partial) == 0 || !Md5Of(partial).Equals(md5, StringComparison.OrdinalIgnoreCase))
            {
                await ReceiveAllAsync(source, partial, progress, cancellationToken);
                var found = Md5Of(partial);
                if (!found.Equals(md5, StringComparison.OrdinalIgnoreCase))
                {
                    File.Delete(partial);
                    throw new BadInputException($"The file at {source} should have the MD5 {md5}, but what arrived has {found}; it was discarded, so try again, or fetch it from elsewhere.");
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
                // As long as each attempt brings something, the next may bring the rest.
                if (Length(partial) <= before)
                {
                    throw new BadInputException($"The transfer from {source} broke off ({exception.Message.TrimEnd('.')}); run the command again, which goes on from the {Length(partial)} bytes that are here.", exception);
                }
            }
            catch (HttpRequestException exception)
            {
                throw new BadInputException($"The file at {source} could not be fetched ({exception.Message.TrimEnd('.')}); check the connection and run the command again, or fetch it from elsewhere.", exception);
            }
        }
    }

    private static async Task ReceiveAsync(Uri source, string partial, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken)
    {
        var have = Length(partial);
        using var request = new HttpRequestMessage(HttpMethod.Get, source);
        request.Headers.Range = have > 0 ? new RangeHeaderValue(have, null) : null;
        using var response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        var range = response.Content.Headers.ContentRange;
        if (have > 0 && (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable || (response.StatusCode == HttpStatusCode.PartialContent && range?.From != have)))
        {
            // What is here does not go with what is there.
            File.Delete(partial);
            await ReceiveAsync(source, partial, progress, cancellationToken);
            return;
        }

        if (!response.IsSuccessStatusCode)
        {
            throw new BadInputException($"The file at {source} could not be fetched, as the server answered {(int)response.StatusCode} {response.ReasonPhrase}; check the address, or fetch it from elsewhere.");
        }

        // A server that knows no ranges sends everything again.
        have = response.StatusCode == HttpStatusCode.PartialContent ? have : 0;
        var total = range?.Length ?? have + response.Content.Headers.ContentLength;
        await using var file = new FileStream(partial, have > 0 ? FileMode.Append : FileMode.Create, FileAccess.Write);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[1 << 17];
        progress?.Report(new(have, total));
        for (int read; (read = await ReadAsync(body, buffer, cancellationToken)) > 0;)
        {
            await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            have += read;
            progress?.Report(new(have, total));
        }
    }

    private static async Task<int> ReadAsync(Stream body, byte[] buffer, CancellationToken cancellationToken)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        silence.CancelAfter(LongestSilence);
        try
        {
            return await body.ReadAsync(buffer, silence.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new InterruptedTransferException(new TimeoutException($"nothing arrived for {LongestSilence.TotalSeconds:F0} seconds", exception));
        }
        catch (IOException exception)
        {
            throw new InterruptedTransferException(exception);
        }
    }

    private static long Length(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    /// <summary>Not for security: it is the checksum that those who publish the files give.</summary>
    private static string Md5Of(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(MD5.HashData(stream));
    }
}
