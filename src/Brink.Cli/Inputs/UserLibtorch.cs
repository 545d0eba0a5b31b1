using System.CommandLine;
using System.Runtime.InteropServices;
using TorchSharp;

namespace Brink.Cli.Inputs;

/// <summary>The libtorch that the user gives, in place of the one that comes with the program: its libraries are loaded before TorchSharp looks for its own.</summary>
internal static class UserLibtorch
{
    /// <summary>The environment variable with the folder, without <see cref="Flag"/>.</summary>
    public const string Variable = "BRINK_LIBTORCH";

    /// <summary>The name of <see cref="Flag"/>.</summary>
    public const string FlagName = "--libtorch";

    private static (string Path, string Source)? _requested;

    /// <summary>The flag of all verbs.</summary>
    public static Option<string?> Flag { get; } = new(FlagName) { Recursive = true, Description = $"The folder of another libtorch: torch/lib of a PyTorch installation (with CUDA, for --device cuda), or lib of an unpacked libtorch. [default: {Variable}, or the libtorch of this program]", HelpName = "FOLDER" };

    /// <summary>The folder whose libraries are loaded; null for the libtorch of the program.</summary>
    public static LibtorchFolder? InUse { get; private set; }

    /// <summary>Indicates whether this process is a child that its parent started to try the libtorch, or after it was tried. The parent writes the sentence around its errors.</summary>
    public static bool IsTried { get; set; }

    /// <summary>Remembers the folder that the user gives. It is loaded when a verb needs torch.</summary>
    /// <param name="parsed">The parsed command line.</param>
    public static void Request(ParseResult parsed) => _requested = (parsed.GetValue(Flag), Environment.GetEnvironmentVariable(Variable)) switch
    {
        ({ } path, _) => (path, $"The flag {FlagName}"),
        (_, { Length: > 0 } path) => (path, $"The environment variable {Variable}"),
        _ => null,
    };

    /// <summary>Loads the libraries of the requested folder, if there is one and it is not loaded yet.</summary>
    /// <exception cref="BadInputException">The folder cannot be used.</exception>
    public static void Load()
    {
        if (_requested is not var (path, source))
        {
            return;
        }

        var folder = LibtorchFolder.Open(path, source);
        if (folder == InUse)
        {
            return;
        }

        if (!folder.IsBuiltFor && !IsTried && LibtorchTrial.Run(folder) is { } reason)
        {
            throw new BadInputException($"The libtorch in {folder.Path} ({folder.Describe()}) does not work with TorchSharp, which is built for {LibtorchFolder.BuiltFor} ({reason}); install PyTorch {LibtorchFolder.BuiltFor} (pip install torch=={LibtorchFolder.BuiltFor}.*), and give its folder torch/lib.");
        }

        if (!LibtorchContext.IsCurrent)
        {
            throw new InvalidOperationException("A libtorch of the user can be loaded by the program brink only, because TorchSharp may have loaded another one in this process.");
        }

        try
        {
            foreach (var library in folder.Libraries)
            {
                NativeLibrary.Load(library);
            }

            NativeLibrary.Load("LibTorchSharp", typeof(torch).Assembly, null);
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            var cause = TorchLibrary.LoaderReason(exception);
            throw new BadInputException(IsTried ? cause : $"The libtorch in {folder.Path} ({folder.Describe()}) cannot be loaded ({cause}); install PyTorch {LibtorchFolder.BuiltFor} or later with all its dependencies (pip install torch), and give its folder torch/lib.", exception);
        }

        CheckLoaded(folder);
        InUse = folder;
    }

    /// <summary>Checks that TorchSharp's library is linked to this libtorch. One of another name, such as libtorch_cpu.so.1.13, would let it load that of the program too.</summary>
    private static void CheckLoaded(LibtorchFolder folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        // The paths of the system may differ from that of the folder, which may be a link.
        var loaded = TorchLibrary.MappedFiles("libtorch_cpu.so").ToArray();
        if (loaded.Length > 1)
        {
            throw new BadInputException($"The libtorch in {folder.Path} ({folder.Describe()}) is not used, because more than one is loaded ({string.Join(", ", loaded)}); give the folder torch/lib of PyTorch {LibtorchFolder.BuiltFor} or later, or remove the other libtorch from LD_LIBRARY_PATH.");
        }
    }
}
