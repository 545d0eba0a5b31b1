using System.Runtime.InteropServices;

namespace Brink.Cli.Terminal;

/// <summary>Ctrl-C and SIGTERM as a cancellation token. A second signal ends the process at once, and so does SIGTERM if the process does not end within five seconds.</summary>
/// <remarks>A cancelled run ends at the next forward pass, which may take long or never end. Finished ranges are on the disk already.</remarks>
internal sealed class Interruption : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _source = new();
    private readonly ManualResetEventSlim _ended = new();
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;

    /// <summary>Registers the handlers of both signals.</summary>
    public Interruption()
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle);
    }

    /// <summary>The token that the first signal cancels.</summary>
    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        _ended.Set();
        _interrupt.Dispose();
        _terminate.Dispose();
        _source.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = !_source.IsCancellationRequested;
        if (!context.Cancel)
        {
            return;
        }

        _source.Cancel();
        if (context.Signal == PosixSignal.SIGTERM)
        {
            // The default action of the signal follows.
            context.Cancel = _ended.Wait(Patience);
        }
    }
}
