namespace Brink.Cli.Terminal;

/// <summary>The standard streams of the process.</summary>
internal static class StandardOutput
{
    /// <summary>Lets the command run to its end if its output or its error stream is closed, as by <c>&gt;&amp;-</c> in a shell: the text is dropped, and the exit code stays that of the command.</summary>
    public static void Guard()
    {
        // A terminal is open, and libraries compare the writers of terminals with those of the console.
        if (Console.IsOutputRedirected)
        {
            Console.SetOut(new StreamWriter(new OpenStream(Console.OpenStandardOutput()), Console.OutputEncoding, bufferSize: 256, leaveOpen: true) { AutoFlush = true });
        }

        if (Console.IsErrorRedirected)
        {
            Console.SetError(new StreamWriter(new OpenStream(Console.OpenStandardError()), Console.OutputEncoding, bufferSize: 256, leaveOpen: true) { AutoFlush = true });
        }
    }

    /// <summary>A stream that drops what is written to it if its file is closed.</summary>
    private sealed class OpenStream(Stream stream) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush()
        {
            // Nothing is buffered.
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            try
            {
                stream.Write(buffer);
            }
            catch (UnauthorizedAccessException)
            {
                // .NET reports a file that is not open for writing this way; a full disk is an IOException and is not caught.
            }
        }
    }
}
