using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Brink.Testing;

/// <summary>The memory that this process uses, without memory that is free but not returned to the system.</summary>
public static class ResidentMemory
{
    /// <summary>Measures the resident bytes after a full collection and, with glibc, after the native heap has returned its free memory.</summary>
    public static long Measure()
    {
        // Twice, because objects with a finalizer are freed by the second collection.
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
            // Without glibc the heap is measured without trimming.
        }

        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    [DllImport("libc")]
    private static extern int malloc_trim(nuint pad);
}
