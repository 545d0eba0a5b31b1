using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace Brink.Cli.Inputs;

/// <summary>A context in which TorchSharp takes a libtorch that is loaded already, and does not load the one in the program's own folder.</summary>
/// <remarks>
/// TorchSharp loads <c>torch_cpu</c> by name when it is first used, and the runtime looks into the folder of the program first. Two copies of
/// libtorch in one process end it. An assembly load context is asked before that, so the command runs in one if the user gives a libtorch.
/// </remarks>
internal sealed class LibtorchContext() : AssemblyLoadContext(nameof(LibtorchContext))
{
    private static readonly string[] Replaced = ["torch_cpu", "torch_cuda"];

    /// <summary>Indicates whether the calling code is in such a context.</summary>
    public static bool IsCurrent => GetLoadContext(typeof(LibtorchContext).Assembly) != Default;

    /// <summary>Runs the command again in such a context, if a libtorch is given and it is not in one.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <returns>The exit code; null if the command is to continue as it is.</returns>
    public static int? Run(string[] arguments)
    {
        var isGiven = Environment.GetEnvironmentVariable(UserLibtorch.Variable) is { Length: > 0 } || Array.Exists(arguments, argument => argument.StartsWith(UserLibtorch.FlagName, StringComparison.Ordinal));
        return isGiven && !IsCurrent
            ? (int)new LibtorchContext().LoadFromAssemblyPath(typeof(LibtorchContext).Assembly.Location).EntryPoint!.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [arguments], null)!
            : null;
    }

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        // Only these refer to TorchSharp; all others are shared.
        var name = assemblyName.Name ?? "";
        return name == "TorchSharp" || name.StartsWith(nameof(Brink), StringComparison.Ordinal) ? LoadFromAssemblyPath(Path.Combine(AppContext.BaseDirectory, $"{name}.dll")) : null;
    }

    /// <inheritdoc/>
    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        // The loader of the system returns a library of this name that is loaded already, whatever its folder.
        Array.IndexOf(Replaced, unmanagedDllName) >= 0 && NativeLibrary.TryLoad(LibtorchFolder.FileName(unmanagedDllName), out var library) ? library : 0;
}
