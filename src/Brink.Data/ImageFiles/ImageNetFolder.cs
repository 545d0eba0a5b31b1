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
    // The longer side becomes at most 256 times this, which fits in 32 bits.
    private const int MostElongated = 100_000;
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
        using var images = ImageFiles.Open(path);
        var known = Synsets.ToHashSet(StringComparer.Ordinal);
        return images.Files.FirstOrDefault(file => !known.Contains(file.Class)) is { } unknown
            ? throw new BadInputException($"ImageNet needs class folders named by synset, such as {Synsets[0]}, but '{path}' has a folder '{unknown.Class}', which is not one of the 1,000; rename or remove it, or use images:PATH for other classes.")
            : ImageDecoding.Decode(images, Synsets, skip, limit, _ => (Side, Side), Prepare, cancellationToken);
    }

    private static string? Prepare(DecodedImage image, Span<byte> planes)
    {
        // The length of the longer side after resizing must fit in 32 bits.
        if (Math.Max(image.Width, image.Height) / Math.Min(image.Width, image.Height) > MostElongated)
        {
            throw new UnreadableImageException(FormattableString.Invariant($"its {image.Width}×{image.Height} pixels are too elongated"));
        }

        // torchvision truncates the length of the longer side to an integer, and rounds the margin to even.
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
