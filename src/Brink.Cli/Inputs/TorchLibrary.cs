using Brink.Build;
using TorchSharp;

namespace Brink.Cli.Inputs;

/// <summary>TorchSharp's native library: whether it loads, and what was done so that it does.</summary>
internal static class TorchLibrary
{
    private const string SymbolVersion = "GLIBCXX_3.4.32";

    /// <summary>Loads torch.</summary>
    /// <exception cref="BadInputException">It does not load.</exception>
    public static void Require()
    {
        if (LoadError() is { } reason)
        {
            throw new BadInputException($"The native library of TorchSharp does not load on this machine ({reason}); brink doctor says more.");
        }
    }

    /// <summary>Why torch does not load, in a line; null where it does.</summary>
    public static string? LoadError()
    {
        try
        {
            torch.InitializeDeviceType(DeviceType.CPU);
            return null;
        }
        catch (Exception exception) when (exception is NotSupportedException or DllNotFoundException or TypeInitializationException or BadImageFormatException)
        {
            // TorchSharp's own message speaks of a missing package whatever the cause; the loader's words are further down.
            var lines = exception.ToString().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            return Array.Find(lines, line => line.Contains("GLIBC", StringComparison.Ordinal) || line.Contains("cannot open shared object", StringComparison.Ordinal)) ?? lines[0];
        }
    }

    /// <summary>Whether the library had to be changed to load on this system, and was.</summary>
    public static string DescribeFix()
    {
        if (!OperatingSystem.IsLinux())
        {
            return "not needed on this system";
        }

        var library = Find("libLibTorchSharp.so");
        if (library is null)
        {
            return "libLibTorchSharp.so not found beside the program";
        }

        var bytes = File.ReadAllBytes(library);
        var flags = SymbolVersionNeed.FindFlags(bytes, SymbolVersion);
        var offered = Offered();
        return (flags < 0, offered) switch
        {
            (true, _) => $"not needed: the library does not ask for {SymbolVersion}",
            (_, true) => $"not needed: this system offers {SymbolVersion}; {Applied(bytes[flags])}",
            (_, false) => $"needed: this system lacks {SymbolVersion}; {Applied(bytes[flags])}",
            _ => $"libstdc++ not found, so whether {SymbolVersion} is offered is unknown; {Applied(bytes[flags])}",
        };
    }

    private static string Applied(byte flags) => (flags & SymbolVersionNeed.Weak) != 0 ? "applied" : "not applied";

    private static string? Find(string name) => new[] { AppContext.BaseDirectory, Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native") }
        .Select(folder => Path.Combine(folder, name))
        .FirstOrDefault(File.Exists);

    /// <summary>Whether the C++ library that this process has loaded defines the version; null where it cannot be found.</summary>
    private static bool? Offered()
    {
        var path = File.ReadLines("/proc/self/maps")
            .Where(line => line.Contains("libstdc++.so", StringComparison.Ordinal))
            .Select(line => line[line.IndexOf('/', StringComparison.Ordinal)..])
            .FirstOrDefault(File.Exists);
        return path is null ? null : File.ReadAllBytes(path).AsSpan().IndexOf("GLIBCXX_3.4.32\0"u8) >= 0;
    }
}
