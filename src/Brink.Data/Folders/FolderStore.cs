namespace Brink.Data;

/// <summary>The files below a folder.</summary>
internal sealed class FolderStore : IFileStore
{
    // A link that leads back to a folder above it would otherwise be followed until the path is too long.
    private const int DeepestFolder = 8;

    private readonly Dictionary<string, FileInfo> _files;

    public FolderStore(string folder)
    {
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            MaxRecursionDepth = DeepestFolder,
            // A class that may not be read must not vanish without a word.
            IgnoreInaccessible = false,
        };
        _files = new DirectoryInfo(folder).EnumerateFiles("*", options)
            .ToDictionary(file => Path.GetRelativePath(folder, file.FullName).Replace(Path.DirectorySeparatorChar, '/'), StringComparer.Ordinal);
    }

    public IReadOnlyCollection<string> Names => _files.Keys;

    // A pipe or a device has no length, and would never end.
    public byte[] Read(string name) => _files[name] is { Length: > 0 } file
        ? File.ReadAllBytes(file.FullName)
        : throw new UnreadableImageException("it is empty");

    public void Dispose()
    {
        // Nothing is kept open.
    }
}
