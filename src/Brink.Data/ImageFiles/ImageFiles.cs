namespace Brink.Data;

/// <summary>The PNG and JPEG files of a folder or a tar archive with their labels, in the ordinal order of their paths.</summary>
/// <remarks>
/// The labels are those of a CSV file, or of class folders.
/// Leading folders that all images share, such as <c>train</c> in an archive, are ignored. The next folder is the class, also of images in its
/// subfolders.
/// </remarks>
internal sealed class ImageFiles : IDisposable
{
    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg"];
    private static readonly string[] Splits = ["train", "test", "val", "valid", "validation"];

    // As the command names a class whose name is not known.
    private const string Unlabelled = "class 0";

    private readonly IFileStore _store;

    private ImageFiles(IFileStore store, string path, ImageOptions options)
    {
        (_store, Path) = (store, path);
        var images = store.Names.Where(IsImage).Order(StringComparer.Ordinal).ToArray();
        OtherExtensions = [.. store.Names.Where(name => !IsImage(name)).Select(name => System.IO.Path.GetExtension(name).ToLowerInvariant())];
        (HiddenCount, LeftOut) = (store.HiddenCount, store.LeftOut);
        if (images.Length == 0)
        {
            var leftOut = string.Concat(LeftOut.Select(entry => FormattableString.Invariant($", and {entry.Value} {entry.Key}")));
            throw new BadInputException($"There should be PNG or JPEG files, but '{path}' contains none{leftOut}; check the path.");
        }

        if (options.LabelFile is { } table)
        {
            (Files, Classes, LabelNotes) = LabelTable.Read(DataLocations.Resolve(table)).Match(images, path);
            return;
        }

        var inFolders = images.Where(name => name.Contains('/', StringComparison.Ordinal)).ToArray();
        if (inFolders.Length == 0 && !options.NeedsLabels)
        {
            Files = Array.ConvertAll(images, name => new ImageFile(name, Unlabelled));
            Classes = new([Unlabelled], Numbers: null, Empty: []) { Source = LabelSource.Nothing };
            return;
        }

        if (inFolders.Length == 0)
        {
            throw new BadInputException($"Images need labels, but those of '{path}' are in no class folders; use --labels FILE.csv with a file and a label in each row, --labels predicted for images without labels, or move them into folders named after their classes.");
        }

        (Files, var depth) = Classify([.. inFolders.Select(name => (name, name.Split('/')))]);
        var parent = string.Concat(inFolders[0].Split('/')[..depth].Select(part => $"{part}/"));
        Classes = ClassFolders.InOrder([.. store.Folders
            .Where(folder => folder.StartsWith(parent, StringComparison.Ordinal) && !folder.AsSpan(parent.Length).Contains('/'))
            .Select(folder => folder[parent.Length..])], Files.Select(file => file.Class).ToHashSet(StringComparer.Ordinal), path);
        Outside = images.Length - inFolders.Length;
        if (Array.Find(Splits, split => Files.Any(file => file.Class.Equals(split, StringComparison.OrdinalIgnoreCase))) is { } found)
        {
            throw new BadInputException($"Images need a folder for each class, but in '{path}' the folder '{found}' seems to contain one part of the data; give that folder, or an archive of it.");
        }
    }

    /// <summary>The folder or archive.</summary>
    public string Path { get; }

    /// <summary>The image files.</summary>
    public IReadOnlyList<ImageFile> Files { get; }

    /// <summary>The class folders, also those without images, or the classes of a CSV file.</summary>
    public ClassFolders Classes { get; }

    /// <summary>Warnings about the source of the labels.</summary>
    public IReadOnlyList<string> LabelNotes { get; } = [];

    /// <summary>The number of images outside the class folders, which are not part of <see cref="Files"/>.</summary>
    public int Outside { get; }

    /// <summary>The extension of each file of another type, in lower case, with repetitions.</summary>
    public IReadOnlyList<string> OtherExtensions { get; }

    /// <inheritdoc cref="IFileStore.HiddenCount"/>
    public int HiddenCount { get; }

    /// <inheritdoc cref="IFileStore.LeftOut"/>
    public IReadOnlyDictionary<string, int> LeftOut { get; }

    /// <summary>Finds the image files in a folder or an archive.</summary>
    /// <param name="path">A folder or a tar archive.</param>
    /// <param name="options">The source of the labels.</param>
    /// <returns>The image files; the caller disposes them.</returns>
    /// <exception cref="BadInputException">Thrown when the path does not exist or cannot be read, has no images, or they have no labels.</exception>
    public static ImageFiles Open(string path, ImageOptions options)
    {
        IFileStore? store = null;
        try
        {
            store = Directory.Exists(path) ? new FolderStore(path)
                : File.Exists(path) ? new TarStore(path)
                : throw new BadInputException($"Images need a folder or a tar archive, but there is nothing at '{path}'; check the path.");
            return new(store, path, options);
        }
        catch (Exception exception)
        {
            store?.Dispose();
            if (exception is IOException or UnauthorizedAccessException)
            {
                throw new BadInputException($"Images should be read from '{path}', but it cannot be opened ({Excerpt.Reason(exception)}); check its permissions.", exception);
            }

            throw;
        }
    }

    /// <inheritdoc cref="IFileStore.Read"/>
    public byte[] Read(ImageFile file) => _store.Read(file.Name);

    public void Dispose() => _store.Dispose();

    internal static bool IsImage(string name) => Extensions.Contains(System.IO.Path.GetExtension(name), StringComparer.OrdinalIgnoreCase);

    private static (ImageFile[] Files, int Depth) Classify((string Name, string[] Parts)[] images)
    {
        // The last folder of a path is never ignored, because there may be only one class.
        var depth = 0;
        while (Array.TrueForAll(images, image => image.Parts.Length > depth + 2 && image.Parts[depth] == images[0].Parts[depth]))
        {
            depth++;
        }

        return (Array.ConvertAll(images, image => new ImageFile(image.Name, image.Parts[depth])), depth);
    }
}

/// <summary>A file with the extension of an image.</summary>
/// <param name="Name">The path relative to the root.</param>
/// <param name="Class">The name of the class folder.</param>
internal sealed record ImageFile(string Name, string Class);
