namespace Brink.Data;

/// <summary>Reads PNG and JPEG images in class folders, from a folder or a tar archive.</summary>
/// <remarks>
/// Images are in the ordinal order of their paths, and classes in the ordinal order of their folders' names, or in numeric order if all names are
/// numbers; the ten names of CIFAR-10 give its official labels. A folder without images counts as a class. Leading folders that all images
/// share are ignored, so an archive may contain <c>train/cat/0001.jpg</c>. All images are decoded in parallel and held in memory as bytes.
/// </remarks>
public static class ImageFolder
{
    /// <summary>Reads images that all have the same size.</summary>
    /// <param name="path">A folder, or a tar archive without compression.</param>
    /// <param name="skip">The number of files to leave out at the start; default 0.</param>
    /// <param name="limit">The maximum number of files to open; null for all.</param>
    /// <param name="cancellationToken">A token that cancels the reading.</param>
    /// <returns>
    /// The images, with three channels. Files that cannot be read are left out; <see cref="ImageSet.Warnings"/> contains their number and the
    /// first names. The class names are those of all folders, including classes that have no image within the limit.
    /// </returns>
    /// <exception cref="BadInputException">Thrown when there are no such images, none can be read, or they differ in size.</exception>
    public static ImageSet Read(string path, int skip = 0, int? limit = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentOutOfRangeException.ThrowIfNegative(skip);
        return Read(path, skip, limit, new(), cancellationToken);
    }

    /// <summary>Reads images with given options.</summary>
    /// <param name="path">A folder, or a tar archive without compression.</param>
    /// <param name="skip">The number of files to leave out at the start.</param>
    /// <param name="limit">The maximum number of files to open; null for all.</param>
    /// <param name="options">The source of the labels, the size and the channels.</param>
    /// <param name="cancellationToken">A token that cancels the reading.</param>
    /// <returns>The images, as those of the public method.</returns>
    /// <exception cref="BadInputException">Thrown when there are no such images, none can be read, or they differ in size.</exception>
    internal static ImageSet Read(string path, int skip, int? limit, ImageOptions options, CancellationToken cancellationToken)
    {
        using var images = ImageFiles.Open(path, options);
        var set = ImageDecoding.Decode(images, images.Classes.Names, skip, limit, new(options), cancellationToken);
        return set.WithClassFolders(images.Classes, Notes(images));
    }

    private static IEnumerable<string> Notes(ImageFiles images)
    {
        foreach (var note in images.LabelNotes)
        {
            yield return note;
        }

        var (names, numbers, empty) = images.Classes;
        if (numbers is not null)
        {
            yield return $"The class folders of '{images.Path}' have numbers as names and are taken in numeric order, {ImageDecoding.List(names)}, not in the order of characters, which some programs use for the labels.";
        }

        if (empty.Count > 0)
        {
            yield return $"Class folders of '{images.Path}' have no PNG or JPEG image: {ImageDecoding.List(empty)}; each still counts as a class, so that the labels of the other folders do not shift.";
        }
    }
}
