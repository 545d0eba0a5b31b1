namespace Brink.Testing;

/// <summary>The images, weights and reference values in the folder <c>shared</c> next to the repository, which are not part of it.</summary>
public static class SharedFiles
{
    /// <summary>The root of the repository; null if the tests run outside it.</summary>
    public static string? Repository { get; } = FindRepository();

    /// <summary>The folder <c>shared/data</c>: the value of <c>BRINK_DATA</c>, or the folder next to the repository.</summary>
    public static string? Data { get; } = FirstExisting(Environment.GetEnvironmentVariable("BRINK_DATA"), Beside("data"));

    /// <summary>The folder <c>shared/reference</c> next to <see cref="Data"/>.</summary>
    public static string? Reference { get; } = FirstExisting(Data is null ? null : Path.Combine(Data, "..", "reference"), Beside("reference"));

    /// <summary>Returns the path of a file in <see cref="Data"/>; skips the calling test with a message if the file does not exist.</summary>
    /// <param name="parts">The parts of the path.</param>
    public static string DataFile(params string[] parts) => Require(Data, parts);

    /// <summary>Returns the path of a file in <see cref="Reference"/>; skips the calling test with a message if the file does not exist.</summary>
    /// <param name="parts">The parts of the path.</param>
    public static string ReferenceFile(params string[] parts) => Require(Reference, parts);

    private static string Require(string? folder, string[] parts)
    {
        var file = folder is null ? null : Path.Combine([folder, .. parts]);
        // xunit treats an exception whose message starts with this prefix as a skip.
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
