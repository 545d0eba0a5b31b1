using System.Runtime.InteropServices;

namespace Brink;

/// <summary>Recognises exceptions that report a lack of memory.</summary>
internal static class MemoryShortage
{
    // The allocators of libtorch for CPUs and GPUs have no exception of their own.
    private static readonly string[] Texts = ["out of memory", "not enough memory", "can't allocate memory"];

    /// <summary>Determines whether an exception of the runtime or of libtorch reports a lack of memory.</summary>
    /// <param name="exception">The exception.</param>
    public static bool Is(Exception exception) => exception is OutOfMemoryException
        || (exception is ExternalException && Array.Exists(Texts, text => exception.Message.Contains(text, StringComparison.OrdinalIgnoreCase)));
}
