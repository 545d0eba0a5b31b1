namespace Brink.Data;

/// <summary>Reads PNG and JPEG images in class folders, from a folder or straight from inside a tar archive.</summary>
/// <remarks>
/// The images come in the ordinal order of their paths, the classes in that of their folders' names: for the ten names of CIFAR-10 this
/// is the order of its labels. Folders that all images share are passed over, so that an archive may hold <c>train/cat/0001.jpg</c>.
/// Everything is decoded at once, on all processors, and kept as bytes.
/// </remarks>
public static class ImageFolder
{
    /// <summary>Reads the images, all of one size.</summary>
    /// <param name="path">A folder, or a tar archive that is not compressed.</param>
    /// <param name="skip">How many files to leave out at the start.</param>
    /// <param name="limit">The most files to open; null for all.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>
    /// The images, three channels each. Files that cannot be read are left out, counted and named in <see cref="ImageSet.Warnings"/>;
    /// the images after them move up. The class names are those of all folders, also where a limit leaves some without an image.
    /// </returns>
    /// <exception cref="BadInputException">There are no such images, none can be read, or they differ in size.</exception>
    public static ImageSet Read(string path, int skip = 0, int? limit = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentOutOfRangeException.ThrowIfNegative(skip);
        using var images = ImageFiles.Open(path);
        var classNames = images.Files.Select(file => file.Class).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        var (width, height) = (1, 1);
        return ImageDecoding.Decode(images, classNames, skip, limit, FirstSize, Prepare, cancellationToken);

        (int Width, int Height) FirstSize(IEnumerable<ImageFile> files)
        {
            foreach (var file in files)
            {
                try
                {
                    return (width, height) = DecodedImage.SizeOf(images.Read(file));
                }
                catch (Exception exception) when (exception is UnreadableImageException or IOException or UnauthorizedAccessException)
                {
                    // It will be named with the others.
                }
            }

            return (width, height);
        }

        string? Prepare(byte[] file, Span<byte> planes)
        {
            var image = DecodedImage.Decode(file);
            if (image.Width != width || image.Height != height)
            {
                return FormattableString.Invariant($"has {image.Width}×{image.Height} pixels, but the images before it have {width}×{height} and a network takes one size; resize them all alike, or use imagenet:PATH, which resizes and crops to 224×224");
            }

            image.CopyTo(planes);
            return null;
        }
    }
}
