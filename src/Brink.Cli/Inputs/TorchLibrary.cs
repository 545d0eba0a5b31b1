using Brink.Build;
using TorchSharp;

namespace Brink.Cli.Inputs;

/// <summary>The native library of TorchSharp: loads it, and reports errors and the change of its required symbol version.</summary>
internal static class TorchLibrary
{
    // The version of a symbol of libstdc++ that TorchSharp's library requires and that older systems lack (docs/architecture.md, "The native library").
    private const string SymbolVersion = "GLIBCXX_3.4.32";

    /// <summary>Loads torch.</summary>
    /// <exception cref="BadInputException">The native library does not load, or the libtorch of the user cannot be used.</exception>
    public static void Require()
    {
        if (LoadError() is { } reason)
        {
            throw new BadInputException($"The native library of TorchSharp does not load on this machine ({reason}); run brink doctor for details.");
        }
    }

    /// <summary>Loads torch and returns the error in one line, or null on success.</summary>
    /// <exception cref="BadInputException">The libtorch of the user cannot be used.</exception>
    public static string? LoadError()
    {
        UserLibtorch.Load();
        try
        {
            torch.InitializeDeviceType(DeviceType.CPU);
            return null;
        }
        catch (Exception exception) when (exception is NotSupportedException or DllNotFoundException or TypeInitializationException or BadImageFormatException)
        {
            return LoaderReason(exception);
        }
    }

    /// <summary>Finds the message of the loader in an exception, as one line. TorchSharp's own message names a missing package whatever the cause.</summary>
    /// <param name="exception">The exception.</param>
    public static string LoaderReason(Exception exception)
    {
        string[] words = ["GLIBC", "cannot open shared object", "undefined symbol", "ELF"];
        var lines = exception.ToString().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return Excerpt.Line(Array.Find(lines, line => Array.Exists(words, word => line.Contains(word, StringComparison.Ordinal))) ?? lines[0]).TrimEnd('.');
    }

    /// <summary>Indicates whether the loaded libtorch computes on NVIDIA GPUs.</summary>
    public static bool HasCuda => UserLibtorch.InUse?.HasCuda ?? (OperatingSystem.IsLinux() ? MappedFiles("libtorch_cuda.so").Any() : Find("torch_cuda.dll") is not null);

    /// <summary>Returns the libraries of this process whose file names begin with a name. Only on Linux.</summary>
    /// <param name="name">The start of the file name.</param>
    public static IEnumerable<string> MappedFiles(string name) => File.ReadLines("/proc/self/maps")
        .Where(line => line.Contains($"/{name}", StringComparison.Ordinal))
        .Select(line => line[line.IndexOf('/', StringComparison.Ordinal)..])
        .Where(File.Exists)
        .Distinct(StringComparer.Ordinal);

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
        var path = MappedFiles("libstdc++.so").FirstOrDefault();
        return path is null ? null : File.ReadAllBytes(path).AsSpan().IndexOf("GLIBCXX_3.4.32\0"u8) >= 0;
    }
}
