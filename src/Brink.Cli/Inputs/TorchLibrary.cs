using Brink.Build;
using TorchSharp;

namespace Brink.Cli.Inputs;

/// <summary>The native library of TorchSharp: loads it, and reports errors and the change of its required symbol version.</summary>
internal static class TorchLibrary
{
    // The version of a symbol of libstdc++ that TorchSharp's library requires and that older systems lack (docs/architecture.md, "The native library").
    private const string SymbolVersion = "GLIBCXX_3.4.32";

    /// <summary>Loads torch.</summary>
    /// <exception cref="BadInputException">The native library does not load.</exception>
    public static void Require()
    {
        if (LoadError() is { } reason)
        {
            throw new BadInputException($"The native library of TorchSharp does not load on this machine ({reason}); run brink doctor for details.");
        }
    }

    /// <summary>Loads torch and returns the error in one line, or null on success.</summary>
    public static string? LoadError()
    {
        try
        {
            torch.InitializeDeviceType(DeviceType.CPU);
            return null;
        }
        catch (Exception exception) when (exception is NotSupportedException or DllNotFoundException or TypeInitializationException or BadImageFormatException)
        {
            // TorchSharp's message names a missing package whatever the cause; the message of the loader follows further down.
            var lines = exception.ToString().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            return Array.Find(lines, line => line.Contains("GLIBC", StringComparison.Ordinal) || line.Contains("cannot open shared object", StringComparison.Ordinal)) ?? lines[0];
        }
    }

    /// <summary>Describes whether this system needs the weakened symbol version and whether the build applied it (src/Brink/buildTransitive).</summary>
    public static string DescribeFix()
    {
        if (!OperatingSystem.IsLinux())
        {
            return "not needed on this system";
        }

        var library = Find("libLibTorchSharp.so");
        if (library is null)
        {
            return "libLibTorchSharp.so not found next to the program";
        }

        var bytes = File.ReadAllBytes(library);
        var flags = SymbolVersionNeed.FindFlags(bytes, SymbolVersion);
        var provided = IsProvided();
        return (flags < 0, provided) switch
        {
            (true, _) => $"not needed: the library does not require {SymbolVersion}",
            (_, true) => $"not needed: this system provides {SymbolVersion}; {Applied(bytes[flags])}",
            (_, false) => $"needed: this system lacks {SymbolVersion}; {Applied(bytes[flags])}",
            _ => $"unknown, because libstdc++ was not found and may or may not provide {SymbolVersion}; {Applied(bytes[flags])}",
        };
    }

    private static string Applied(byte flags) => (flags & SymbolVersionNeed.Weak) != 0 ? "applied" : "not applied";

    private static string? Find(string name) => new[] { AppContext.BaseDirectory, Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native") }
        .Select(folder => Path.Combine(folder, name))
        .FirstOrDefault(File.Exists);

    /// <summary>Determines whether the C++ library of this process defines the version; null if the library is not found.</summary>
    private static bool? IsProvided()
    {
        var path = File.ReadLines("/proc/self/maps")
            .Where(line => line.Contains("libstdc++.so", StringComparison.Ordinal))
            .Select(line => line[line.IndexOf('/', StringComparison.Ordinal)..])
            .FirstOrDefault(File.Exists);
        return path is null ? null : File.ReadAllBytes(path).AsSpan().IndexOf("GLIBCXX_3.4.32\0"u8) >= 0;
    }
}
