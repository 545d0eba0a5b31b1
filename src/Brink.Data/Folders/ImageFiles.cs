namespace Brink.Data;

/// <summary>The PNG and JPEG files in the class folders of a folder or a tar archive, in the ordinal order of their paths.</summary>
/// <remarks>
/// Folders that all images share, such as the <c>train</c> at the top of an archive, are passed over; the next folder is the class,
/// however deep below it the image lies.
/// </remarks>
internal sealed class ImageFiles : IDisposable
{
    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg"];
    private static readonly string[] Splits = ["train", "test", "val", "valid", "validation"];

    private readonly IFileStore _store;

    private ImageFiles(IFileStore store, string path)
    {
        (_store, Path) = (store, path);
        var images = store.Names.Where(IsImage).Order(StringComparer.Ordinal).ToArray();
        var inFolders = images.Where(name => name.Contains('/', StringComparison.Ordinal)).ToArray();
        if (inFolders.Length == 0)
        {
            throw new BadInputException(images.Length > 0
                ? $"Images need a folder for each class, but those of '{path}' lie in none; move them into folders named for their classes, or give the folder above."
                : $"There should be PNG or JPEG files in class folders, but '{path}' holds none; check the path.");
        }

        Files = Classify([.. inFolders.Select(name => (name, name.Split('/')))]);
        Outside = images.Length - inFolders.Length;
        if (Array.Find(Splits, split => Files.Any(file => file.Class.Equals(split, StringComparison.OrdinalIgnoreCase))) is { } found)
        {
            throw new BadInputException($"Images need a folder for each class, but in '{path}' the folder '{found}' seems to hold a part of the data; give that folder itself, or an archive of it alone.");
        }
    }

    /// <summary>Where they were looked for.</summary>
    public string Path { get; }

    /// <summary>The images.</summary>
    public IReadOnlyList<ImageFile> Files { get; }

    /// <summary>How many images lie beside the class folders, and are none of <see cref="Files"/>.</summary>
    public int Outside { get; }

    /// <summary>Finds the images.</summary>
    /// <param name="path">A folder or a tar archive.</param>
    /// <exception cref="BadInputException">There is no such thing, it cannot be read, or it has no images in class folders.</exception>
    public static ImageFiles Open(string path)
    {
        IFileStore? store = null;
        try
        {
            store = Directory.Exists(path) ? new FolderStore(path)
                : File.Exists(path) ? new TarStore(path)
                : throw new BadInputException($"Images need a folder or a tar archive, but there is nothing at '{path}'; check the path.");
            return new(store, path);
        }
        catch (Exception exception)
        {
            store?.Dispose();
            if (exception is IOException or UnauthorizedAccessException)
            {
                throw new BadInputException($"Images were to be read from '{path}', but it cannot be opened ({exception.Message.TrimEnd('.')}); check its permissions.", exception);
            }

            throw;
        }
    }

    /// <inheritdoc cref="IFileStore.Read"/>
    public byte[] Read(ImageFile file) => _store.Read(file.Name);

    public void Dispose() => _store.Dispose();

    private static bool IsImage(string name) => Extensions.Contains(System.IO.Path.GetExtension(name), StringComparer.OrdinalIgnoreCase);

    private static ImageFile[] Classify((string Name, string[] Parts)[] images)
    {
        // At least the folder just above an image stays: it may be that there is only one class.
        var depth = 0;
        while (Array.TrueForAll(images, image => image.Parts.Length > depth + 2 && image.Parts[depth] == images[0].Parts[depth]))
        {
            depth++;
        }

        return Array.ConvertAll(images, image => new ImageFile(image.Name, image.Parts[depth]));
    }
}
