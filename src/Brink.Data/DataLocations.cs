namespace Brink.Data;

/// <summary>Where data and weights are looked for: where the path says, then in the folder <c>BRINK_DATA</c> names, then in the user's data folder.</summary>
public static class DataLocations
{
    /// <summary>The environment variable that names a folder of data.</summary>
    public const string Variable = "BRINK_DATA";

    /// <summary>The user's own data folder, whether or not it exists.</summary>
    public static string UserFolder => Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "brink");

    /// <summary>The folders that relative paths are tried in after the current one, in order.</summary>
    public static IReadOnlyList<string> Folders =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder ? [folder, UserFolder] : [UserFolder];

    /// <summary>The first place where a file or folder of that path exists; the path itself where there is none, for the error to name.</summary>
    /// <param name="path">A path as the user wrote it.</param>
    public static string Resolve(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        // Combined with a folder an empty path would be that folder.
        return path.Length == 0 ? path : Folders.Select(folder => Path.Combine(folder, path)).Prepend(path).FirstOrDefault(Path.Exists) ?? path;
    }
}
