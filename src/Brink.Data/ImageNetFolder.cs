namespace Brink.Data;

/// <summary>Reads ImageNet (ILSVRC 2012, Russakovsky et al. 2015) from class folders that are named by synset, or from a tar archive of them.</summary>
/// <remarks>
/// As networks of torchvision expect it: the shorter side is resized to 256 pixels, the 224×224 in the middle are kept, and the label is
/// the synset's place in the order of the 1,000. Resizing is PIL's, byte for byte. Any of the synsets may be missing.
/// </remarks>
public static class ImageNetFolder
{
    private const int ResizedSide = 256;
    private const int Side = 224;
    private const int MostElongated = 100_000;
    private const string Resource = "Brink.Data.synsets.txt";

    /// <summary>The 1,000 synsets in the order of the labels, such as <c>n01440764</c>.</summary>
    public static IReadOnlyList<string> Synsets { get; } = ReadSynsets();

    /// <summary>Reads the images, [3, 224, 224] each.</summary>
    /// <param name="path">A folder, or a tar archive that is not compressed.</param>
    /// <param name="skip">How many files to leave out at the start.</param>
    /// <param name="limit">The most files to open; null for all.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>The images in the ordinal order of their paths. Files that cannot be read are left out, counted and named in <see cref="ImageSet.Warnings"/>.</returns>
    /// <exception cref="BadInputException">There are no such images, a folder is no synset, none can be read, or they do not fit in memory.</exception>
    public static ImageSet Read(string path, int skip = 0, int? limit = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentOutOfRangeException.ThrowIfNegative(skip);
        using var images = ImageFiles.Open(path);
        var known = Synsets.ToHashSet(StringComparer.Ordinal);
        return images.Files.FirstOrDefault(file => !known.Contains(file.Class)) is { } stranger
            ? throw new BadInputException($"ImageNet needs class folders named by synset, such as {Synsets[0]}, but '{path}' has a folder '{stranger.Class}', which is none of the 1,000; rename or remove it, or use images:PATH for classes of your own.")
            : ImageDecoding.Decode(images, Synsets, skip, limit, _ => (Side, Side), Prepare, cancellationToken);
    }

    private static string? Prepare(byte[] file, Span<byte> planes)
    {
        var image = DecodedImage.Decode(file);
        // Enlarged to 256 pixels the short way, more would not fit into whole numbers the long way.
        if (Math.Max(image.Width, image.Height) / Math.Min(image.Width, image.Height) > MostElongated)
        {
            throw new UnreadableImageException(FormattableString.Invariant($"its {image.Width}×{image.Height} pixels are too long a shape"));
        }

        // torchvision cuts the longer side off to a whole number, and rounds the margin to even.
        var (width, height) = image.Width <= image.Height
            ? (ResizedSide, (int)((long)ResizedSide * image.Height / image.Width))
            : ((int)((long)ResizedSide * image.Width / image.Height), ResizedSide);
        BilinearResize.Window(image.Pixels, (image.Width, image.Height), (width, height), Margin(width), Margin(height), Side, planes);
        return null;
    }

    private static int Margin(int length) => (int)Math.Round((length - Side) / 2.0, MidpointRounding.ToEven);

    private static string[] ReadSynsets()
    {
        using var stream = typeof(ImageNetFolder).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The assembly Brink.Data needs the resource {Resource}, but was built without it.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
