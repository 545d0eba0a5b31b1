namespace Brink.Testing;

/// <summary>The real images, weights and golden values that live beside the repository, never in it.</summary>
public static class SharedFiles
{
    /// <summary>The root of the repository that the tests were built from; null where they run elsewhere.</summary>
    public static string? Repository { get; } = FindRepository();

    /// <summary>The folder <c>shared/data</c>: <c>BRINK_DATA</c>, or found beside the repository.</summary>
    public static string? Data { get; } = FirstExisting(Environment.GetEnvironmentVariable("BRINK_DATA"), Beside("data"));

    /// <summary>The folder <c>shared/reference</c>, beside the data.</summary>
    public static string? Reference { get; } = FirstExisting(Data is null ? null : Path.Combine(Data, "..", "reference"), Beside("reference"));

    /// <summary>The path of a file below <see cref="Data"/>; the calling test is skipped, saying so, where there is none.</summary>
    public static string DataFile(params string[] parts) => Require(Data, parts);

    /// <summary>The path of a file below <see cref="Reference"/>; the calling test is skipped, saying so, where there is none.</summary>
    public static string ReferenceFile(params string[] parts) => Require(Reference, parts);

    private static string Require(string? folder, string[] parts)
    {
        var file = folder is null ? null : Path.Combine([folder, .. parts]);
        // xunit reads a message that starts so as a skip, not a failure.
        return file is not null && File.Exists(file)
            ? file
            : throw new InvalidOperationException($"$XunitDynamicSkip$needs {Path.Combine(parts)} of the shared data folder; set BRINK_DATA to where it is");
    }

    private static string? Beside(string name) => Repository is null ? null : Path.Combine(Repository, "..", "shared", name);

    private static string? FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Brink.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName;
    }

    private static string? FirstExisting(params string?[] folders) => Array.Find(folders, Directory.Exists);
}
