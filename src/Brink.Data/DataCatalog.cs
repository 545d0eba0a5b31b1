namespace Brink.Data;

/// <summary>Opens a data set from what the command line calls it.</summary>
public static class DataCatalog
{
    /// <summary>1000: how many signs are drawn where no limit is given.</summary>
    public const int DefaultSignCount = 1000;

    /// <summary>Opens <c>signs</c>, <c>cifar10</c> (<c>cifar10:test</c>) or <c>cifar10:train</c> as fetched, <c>cifar10:FILE|FOLDER</c>, <c>images:FOLDER|FILE.tar</c> or <c>imagenet:FOLDER|FILE.tar</c>.</summary>
    /// <param name="description">What to open.</param>
    /// <param name="skip">How many images to leave out at the start.</param>
    /// <param name="limit">The most images to keep; null for all (signs: <see cref="DefaultSignCount"/>).</param>
    /// <param name="cancellationToken">Stops the reading of images from files of their own.</param>
    /// <exception cref="BadInputException">There is no such data set, it cannot be read, or nothing of it is left.</exception>
    public static ImageSet Open(string description, int skip = 0, int? limit = null, CancellationToken cancellationToken = default)
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
        return kind switch
        {
            "signs" when path.Length == 0 => Signs(skip, limit ?? DefaultSignCount),
            "cifar10" when path is "" or "test" => Cut(Cifar10.ReadTest(), skip, limit),
            "cifar10" when path is "train" => Cut(Cifar10.ReadTraining(), skip, limit),
            "cifar10" => Cut(Cifar10.Read(DataLocations.Resolve(path)), skip, limit),
            "images" when path.Length > 0 => ImageFolder.Read(DataLocations.Resolve(path), skip, limit, cancellationToken),
            "images" => throw new BadInputException("Images need a folder or a tar archive with a folder for each class; write images:PATH."),
            "imagenet" when path.Length > 0 => ImageNetFolder.Read(DataLocations.Resolve(path), skip, limit, cancellationToken),
            "imagenet" => throw new BadInputException("ImageNet needs a folder or a tar archive with a folder for each synset; write imagenet:PATH."),
            _ => throw new BadInputException($"There is no data set named '{description}'; choose signs, cifar10, cifar10:PATH, images:PATH or imagenet:PATH."),
        };
    }

    private static ImageSet Cut(ImageSet images, int skip, int? limit)
    {
        var left = images.Skip(skip);
        return left.Count > 0
            ? left.Take(limit ?? int.MaxValue)
            : throw new BadInputException($"The data set {images.Name} holds {images.Count} images, so none are left after skipping {skip}.");
    }

    // Any number of signs can be drawn, so a skip never runs out of them.
    private static ImageSet Signs(int skip, int limit)
    {
        const int most = 1_000_000;
        var count = (long)skip + limit;
        return count <= most
            ? TrafficSigns.Generate(TrafficSigns.TestSeed, limit, skip)
            : throw new BadInputException(FormattableString.Invariant($"At most {most} signs are drawn, but {count} were asked for."));
    }
}
