namespace Brink.Data;

/// <summary>The folders in which data and weights are searched: the current folder, the folder of <c>BRINK_DATA</c>, and the user's data folder.</summary>
internal static class DataLocations
{
    /// <summary>The name of the environment variable with a data folder.</summary>
    public const string Variable = "BRINK_DATA";

    /// <summary>The user's data folder, which need not exist.</summary>
    public static string UserFolder => Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "brink");

    /// <summary>The folders in which relative paths are searched after the current folder, in order.</summary>
    public static IReadOnlyList<string> Folders =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder ? [folder, UserFolder] : [UserFolder];

    /// <summary>Finds a file or folder.</summary>
    /// <param name="path">The path as the user wrote it.</param>
    /// <returns>The first existing path; <paramref name="path"/> if there is none, so that error messages name it.</returns>
    public static string Resolve(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        // An empty path combined with a folder would be that folder.
        return path.Length == 0 ? path : Folders.Select(folder => Path.Combine(folder, path)).Prepend(path).FirstOrDefault(Path.Exists) ?? path;
    }
}
