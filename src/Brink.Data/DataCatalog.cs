namespace Brink.Data;

/// <summary>Opens data sets by the names that <c>--data</c> accepts.</summary>
public static class DataCatalog
{
    /// <summary>The number of traffic signs that are drawn if no limit is given: 1000.</summary>
    public const int DefaultSignCount = 1000;

    /// <summary>Opens a data set.</summary>
    /// <param name="description">
    /// <c>signs</c>, <c>cifar10</c> or <c>cifar10:test</c>, <c>cifar10:train</c>, <c>cifar10:FILE|FOLDER</c>, <c>images:FOLDER|FILE.tar</c>,
    /// <c>imagenet:FOLDER|FILE.tar</c> or <c>idx:IMAGES,LABELS</c>. Relative paths are also searched in the folder of the environment variable <c>BRINK_DATA</c> and in
    /// the user's data folder.
    /// </param>
    /// <param name="skip">The number of images to leave out at the start; default 0.</param>
    /// <param name="limit">The maximum number of images; null for all (for <c>signs</c>: <see cref="DefaultSignCount"/>).</param>
    /// <param name="cancellationToken">A token that cancels the reading of image files.</param>
    /// <returns>The images.</returns>
    /// <exception cref="BadInputException">Thrown when there is no such data set, it cannot be read, or no image is left.</exception>
    public static ImageSet Open(string description, int skip = 0, int? limit = null, CancellationToken cancellationToken = default) =>
        Open(description, skip, limit, new(), cancellationToken);

    /// <summary>Opens a data set with given options.</summary>
    /// <param name="description">The data set, as for the public method.</param>
    /// <param name="skip">The number of images to leave out at the start.</param>
    /// <param name="limit">The maximum number of images; null for all.</param>
    /// <param name="options">The source of the labels, the size and the channels.</param>
    /// <param name="cancellationToken">A token that cancels the reading of image files.</param>
    /// <returns>The images.</returns>
    /// <exception cref="BadInputException">Thrown when there is no such data set, it cannot be read, no image is left, or an option does not apply.</exception>
    internal static ImageSet Open(string description, int skip, int? limit, ImageOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(description);
        if (skip < 0)
        {
            throw new BadInputException($"The number of images to skip must be at least 0, but {skip} was given.");
        }

        if (limit < 1)
        {
            throw new BadInputException($"The number of images must be at least 1, but {limit} was given.");
        }

        var (kind, path) = description.Split(':', 2) is [var first, var second] ? (first, second) : (description, "");
        options.Check(description, kind is "images" or "imagenet");
        var images = kind switch
        {
            "signs" when path.Length == 0 => Signs(skip, limit ?? DefaultSignCount),
            "cifar10" when path is "" or "test" => Part(Cifar10.ReadTest(), skip, limit),
            "cifar10" when path is "train" => Part(Cifar10.ReadTraining(), skip, limit),
            "cifar10" => Part(Cifar10.Read(DataLocations.Resolve(path)), skip, limit),
            "images" when path.Length > 0 => ImageFolder.Read(DataLocations.Resolve(path), skip, limit, options, cancellationToken),
            "images" => throw new BadInputException("Images need a folder or a tar archive; use images:PATH."),
            "imagenet" when path.Length > 0 => ImageNetFolder.Read(DataLocations.Resolve(path), skip, limit, options, cancellationToken),
            "imagenet" => throw new BadInputException("ImageNet needs a folder or a tar archive with a folder for each synset; use imagenet:PATH."),
            "idx" when path.Length > 0 => Part(Idx(path, options), skip, limit),
            "idx" => throw new BadInputException("Images in the format of MNIST need a file of images and one of labels; use idx:IMAGES,LABELS."),
            _ => throw new BadInputException($"There is no data set named '{description}'; choose signs, cifar10, cifar10:PATH, images:PATH, imagenet:PATH or idx:IMAGES,LABELS."),
        };
        // Image files are read with the requested channels.
        images = options.Channels is { } channels && kind is not ("images" or "imagenet") ? images.To(channels) : images;
        return options.ClassFile is { } list ? ClassList.Apply(images, DataLocations.Resolve(list), options.NeedsLabels) : images;
    }

    private static ImageSet Idx(string path, ImageOptions options)
    {
        // The names of the files may contain commas.
        var commas = path.Index().Where(letter => letter.Item == ',').Select(letter => letter.Index).ToArray();
        var comma = commas.FirstOrDefault(position => File.Exists(DataLocations.Resolve(path[..position])), commas.FirstOrDefault(-1));
        if (!options.NeedsLabels && (comma < 0 || File.Exists(DataLocations.Resolve(path))))
        {
            return IdxFiles.Read(DataLocations.Resolve(path), labels: null);
        }

        return comma >= 0
            ? IdxFiles.Read(DataLocations.Resolve(path[..comma]), DataLocations.Resolve(path[(comma + 1)..]))
            : throw new BadInputException($"Images in the format of MNIST need a file of labels, but only '{path}' was given; use idx:IMAGES,LABELS, or --labels predicted.");
    }

    private static ImageSet Part(ImageSet images, int skip, int? limit)
    {
        var left = images.Skip(skip);
        return left.Count > 0
            ? left.Take(limit ?? int.MaxValue)
            : throw new BadInputException($"The data set {images.Name} has {images.Count} images, so none are left after skipping {skip}.");
    }

    // Signs are drawn on demand, so skipped ones are not drawn.
    private static ImageSet Signs(int skip, int limit)
    {
        // More than fit in memory at once: a million images need 3 GB.
        const int most = 1_000_000;
        var count = (long)skip + limit;
        return count <= most
            ? TrafficSigns.Generate(TrafficSigns.TestSeed, limit, skip)
            : throw new BadInputException(FormattableString.Invariant($"At most {most} signs can be drawn, but {count} were requested."));
    }
}
