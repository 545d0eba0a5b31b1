using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Brink.Cli.Inputs;

/// <summary>A folder with a libtorch: <c>torch/lib</c> of a PyTorch installation, or <c>lib</c> of an unpacked libtorch.</summary>
/// <param name="Path">The full path of the folder.</param>
/// <param name="Version">The version, such as <c>2.11.0+cu130</c>; null if no file states it.</param>
internal sealed partial record LibtorchFolder(string Path, string? Version)
{
    /// <summary>The version for which TorchSharp is built.</summary>
    public const string BuiltFor = "2.10";

    private const int ElfHeader = 20;

    // The libraries in the order in which they depend on each other. Those of CUDA are absent from a libtorch for the CPU.
    private static readonly string[] Names = ["c10", "c10_cuda", "torch_cpu", "torch_cuda", "torch"];

    /// <summary>The libraries to load, in this order.</summary>
    public IEnumerable<string> Libraries => Names.Select(name => File(Path, name)).Where(System.IO.File.Exists);

    /// <summary>Indicates whether this libtorch computes on NVIDIA GPUs.</summary>
    public bool HasCuda => System.IO.File.Exists(File(Path, "torch_cuda"));

    /// <summary>Indicates whether this is the version for which TorchSharp is built. Any other needs a trial (<see cref="LibtorchTrial"/>).</summary>
    public bool IsBuiltFor => Version is not null && Version.StartsWith($"{BuiltFor}.", StringComparison.Ordinal);

    /// <summary>The version and the device, for messages.</summary>
    public string Describe() => $"{Version ?? "of unknown version"} {(HasCuda ? "with" : "without")} CUDA";

    /// <summary>Opens a folder, and checks what can be checked before its libraries are loaded.</summary>
    /// <param name="path">The folder, or one that contains it as <c>lib</c> or <c>torch/lib</c>.</param>
    /// <param name="source">The flag or variable that gives it, for messages.</param>
    /// <exception cref="BadInputException">The folder contains no libtorch, or one that does not fit.</exception>
    public static LibtorchFolder Open(string path, string source)
    {
        const string advice = "give the folder torch/lib of a PyTorch installation, or lib of an unpacked libtorch (brink doctor --find-libtorch looks for one)";
        if (!Directory.Exists(path))
        {
            throw new BadInputException($"{source} needs a folder with a libtorch, but {path} {(System.IO.File.Exists(path) ? "is a file" : "does not exist")}; {advice}.");
        }

        var full = System.IO.Path.GetFullPath(path);
        var folder = new[] { full, System.IO.Path.Combine(full, "lib"), System.IO.Path.Combine(full, "torch", "lib") }.FirstOrDefault(candidate => System.IO.File.Exists(File(candidate, "torch_cpu")))
            ?? throw new BadInputException($"{source} needs a folder with a libtorch, but {path} does not contain {FileName("torch_cpu")}; {advice}.");
        var opened = new LibtorchFolder(folder, ReadVersion(System.IO.Path.GetDirectoryName(folder) ?? folder));
        foreach (var library in opened.Libraries)
        {
            CheckArchitecture(library);
        }

        return opened.Version is null || IsAtLeastBuiltFor(opened.Version)
            ? opened
            : throw new BadInputException($"{source} needs a libtorch of version {BuiltFor} or later, for which TorchSharp is built, but {folder} has version {opened.Version}; install PyTorch {BuiltFor} or later (pip install torch), and give its folder torch/lib.");
    }

    /// <summary>Returns the file name of a library on this system.</summary>
    /// <param name="name">The name of the library.</param>
    public static string FileName(string name) => (OperatingSystem.IsWindows(), OperatingSystem.IsMacOS()) switch
    {
        (true, _) => $"{name}.dll",
        (_, true) => $"lib{name}.dylib",
        _ => $"lib{name}.so",
    };

    private static string File(string folder, string name) => System.IO.Path.Combine(folder, FileName(name));

    /// <summary>Reads the version from the files beside the folder: <c>version.py</c> of PyTorch, or <c>build-version</c> of libtorch.</summary>
    private static string? ReadVersion(string parent)
    {
        try
        {
            if (System.IO.File.Exists(System.IO.Path.Combine(parent, "version.py")))
            {
                return VersionLine().Match(System.IO.File.ReadAllText(System.IO.Path.Combine(parent, "version.py"))) is { Success: true } match ? match.Groups["version"].Value : null;
            }

            var file = System.IO.Path.Combine(parent, "build-version");
            return System.IO.File.Exists(file) ? Excerpt.Line(System.IO.File.ReadAllText(file).Trim()) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool IsAtLeastBuiltFor(string version) =>
        Numbers().Match(version) is { Success: true } match && System.Version.TryParse(match.Value, out var parsed) && parsed >= System.Version.Parse(BuiltFor);

    /// <summary>Checks that a library of Linux is one for this processor. The loader of the system only says that it has a wrong class.</summary>
    private static void CheckArchitecture(string library)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var header = new byte[ElfHeader];
        int length;
        try
        {
            using var stream = System.IO.File.OpenRead(library);
            length = stream.ReadAtLeast(header, ElfHeader, throwOnEndOfStream: false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"The library {library} cannot be read ({exception.Message.TrimEnd('.')}); check its permissions.", exception);
        }

        if (length < ElfHeader || !header.AsSpan().StartsWith("\x7f\x45LF"u8))
        {
            throw new BadInputException($"The library {library} is not a library of Linux; give the folder of a libtorch for Linux.");
        }

        // e_ident[EI_CLASS] at 4: 2 for 64 bits; e_machine at 18.
        var machine = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(18));
        var needed = RuntimeInformation.ProcessArchitecture;
        var given = (header[4], machine) switch
        {
            (2, 62) => Architecture.X64,
            (2, 183) => Architecture.Arm64,
            (1, 3) => Architecture.X86,
            (1, 40) => Architecture.Arm,
            _ => (Architecture?)null,
        };
        if (given != needed)
        {
            throw new BadInputException($"The library {library} is for the architecture {(given is null ? FormattableString.Invariant($"number {machine}") : given.ToString()!.ToLowerInvariant())}, but brink runs on {needed.ToString().ToLowerInvariant()}; give the folder of a libtorch for {needed.ToString().ToLowerInvariant()}.");
        }
    }

    [GeneratedRegex(@"^__version__\s*=\s*['""](?<version>[^'""\s]{1,64})['""]", RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex VersionLine();

    [GeneratedRegex(@"^\d{1,6}\.\d{1,6}", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Numbers();
}
