using System.Reflection;

namespace Brink.Architecture.Tests;

/// <summary>The assemblies of <c>src/</c>.</summary>
internal static class Assemblies
{
    /// <summary>The libraries, which other programs reference.</summary>
    public static readonly string[] Libraries = ["Brink", "Brink.Models", "Brink.Data", "Brink.Training", "Brink.Evaluation", "Brink.Reports"];

    /// <summary>The libraries and the command.</summary>
    public static readonly string[] All = [.. Libraries, "Brink.Cli"];

    /// <summary>The names of all assemblies as test data.</summary>
    public static TheoryData<string> Names => [.. All];

    /// <summary>Loads an assembly from the folder of the tests.</summary>
    public static Assembly Load(string name) => Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, $"{name}.dll"));
}
