using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Brink.Testing;

/// <summary>The memory of this process that is in use, as opposed to kept for later.</summary>
public static class ResidentMemory
{
    /// <summary>Resident bytes after a full collection and, with glibc, after the native heap has given back what is free.</summary>
    public static long Measure()
    {
        // Twice: what has a finalizer is freed by the second collection.
        for (var round = 0; round < 2; round++)
        {
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        try
        {
            malloc_trim(0);
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            // Another system's heap is measured as it is.
        }

        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    [DllImport("libc")]
    private static extern int malloc_trim(nuint pad);
}
