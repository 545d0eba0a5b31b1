namespace Brink.Data;

/// <summary>Reads ImageNet (ILSVRC 2012, Russakovsky et al. 2015) from class folders that are named by synset, or from a tar archive of them.</summary>
/// <remarks>
/// Images are prepared as for torchvision's models: the shorter side is resized to 256 pixels, and the centre of 224×224 pixels is kept. The
/// label is the index of the synset among the 1,000. The bytes equal those of PIL's resizing. Synsets may be missing.
/// </remarks>
public static class ImageNetFolder
{
    // As in torchvision's evaluation of its published weights.
    private const int ResizedSide = 256;
    private const int Side = 224;
    private const string Resource = "Brink.Data.synsets.txt";

    /// <summary>The names of the 1,000 synsets in the order of the labels, such as <c>n01440764</c>.</summary>
    public static IReadOnlyList<string> Synsets { get; } = ReadSynsets();

    /// <summary>Reads images of shape [3, 224, 224].</summary>
    /// <param name="path">A folder, or a tar archive without compression.</param>
    /// <param name="skip">The number of files to leave out at the start; default 0.</param>
    /// <param name="limit">The maximum number of files to open; null for all.</param>
    /// <param name="cancellationToken">A token that cancels the reading.</param>
    /// <returns>The images in the ordinal order of their paths. Files that cannot be read are left out; <see cref="ImageSet.Warnings"/> contains their number and the first names.</returns>
    /// <exception cref="BadInputException">Thrown when there are no such images, a folder is not a synset, no image can be read, or the images do not fit in memory.</exception>
    public static ImageSet Read(string path, int skip = 0, int? limit = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentOutOfRangeException.ThrowIfNegative(skip);
        return Read(path, skip, limit, new(), cancellationToken);
    }

    /// <summary>Reads images with given options, whose labels are synsets or their numbers.</summary>
    /// <param name="path">A folder, or a tar archive without compression.</param>
    /// <param name="skip">The number of files to leave out at the start.</param>
    /// <param name="limit">The maximum number of files to open; null for all.</param>
    /// <param name="options">The source of the labels, the size and the channels.</param>
    /// <param name="cancellationToken">A token that cancels the reading.</param>
    /// <returns>The images, as those of the public method.</returns>
    /// <exception cref="BadInputException">Thrown when there are no such images, a label is not a synset, no image can be read, or the images do not fit in memory.</exception>
    internal static ImageSet Read(string path, int skip, int? limit, ImageOptions options, CancellationToken cancellationToken)
    {
        using var images = ImageFiles.Open(path, options);
        // The names of numbered or unlabelled classes do not count, only their order.
        var isNamed = images.Classes.Source is LabelSource.Folders or LabelSource.Names;
        var known = Synsets.ToHashSet(StringComparer.Ordinal);
        if (isNamed && images.Files.FirstOrDefault(file => !known.Contains(file.Class)) is { } unknown)
        {
            throw new BadInputException($"ImageNet needs synsets as classes, such as {Synsets[0]}, but '{path}' has the class {Excerpt.Quote(unknown.Class)}, which is not one of the 1,000; rename or remove it, or use images:PATH for other classes.");
        }

        if (images.Classes.Names.Count > Synsets.Count)
        {
            throw new BadInputException($"ImageNet has the classes 0 to {Synsets.Count - 1}, but there is a label {images.Classes.Names.Count - 1}; correct it.");
        }

        var names = isNamed ? Synsets : images.Classes.Names;
        var set = ImageDecoding.Decode(images, names, skip, limit, new(options with { Resize = options.Resize ?? ResizedSide, Crop = options.Crop ?? Side }), cancellationToken);
        return isNamed && images.LabelNotes.Count == 0 ? set : set.WithLabels(Synsets, Enumerable.Range(0, set.Count).Select(set.Label).ToArray(), images.LabelNotes);
    }

    private static string[] ReadSynsets()
    {
        using var stream = typeof(ImageNetFolder).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The assembly Brink.Data needs the resource {Resource}, but was built without it.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
