namespace Brink.Training.Tests;

/// <summary>A folder of a test's own, gone with the test.</summary>
public sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("brink-");

    public string this[string name] => Path.Combine(_folder.FullName, name);

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>What a process that is killed now would leave of a folder.</summary>
    public void Copy(string from, string to)
    {
        Directory.CreateDirectory(this[to]);
        foreach (var file in Directory.GetFiles(this[from]))
        {
            File.Copy(file, Path.Combine(this[to], Path.GetFileName(file)));
        }
    }
}
