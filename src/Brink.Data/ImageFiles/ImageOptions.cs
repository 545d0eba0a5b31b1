namespace Brink.Data;

/// <summary>The preparation of images and the source of their labels.</summary>
internal sealed record ImageOptions
{
    // Longer sides do not fit in memory as tensors, and the longer side of an elongated image must fit in 32 bits.
    private const int LongestSide = 10_000;

    /// <summary>The length that the shorter side of each image is resized to, as by torchvision's <c>Resize</c>; null for no resizing.</summary>
    public int? Resize { get; init; }

    /// <summary>The side of the square that is cut from the centre of each image, as by torchvision's <c>CenterCrop</c>; null for the whole image.</summary>
    public int? Crop { get; init; }

    /// <summary>The channels of the images; null for those of the data set, which are red, green and blue for image files.</summary>
    public PixelChannels? Channels { get; init; }

    /// <summary>The CSV file with the label of each image file; null for the labels of the data set.</summary>
    public string? LabelFile { get; init; }

    /// <summary>The file with the name of each class, one per line in the order of the labels; null for the names of the data set.</summary>
    public string? ClassFile { get; init; }

    /// <summary>Indicates whether each image needs a label; false if its label is predicted by the model.</summary>
    public bool NeedsLabels { get; init; } = true;

    /// <summary>Checks the lengths, that the file of labels exists, and that the data set consists of image files if an option is only for those.</summary>
    /// <param name="description">The data set as given by the user.</param>
    /// <param name="hasFiles">True if the data set consists of image files.</param>
    /// <exception cref="BadInputException">Thrown when a length is out of range, there is no such file of labels, or an option does not apply to the data set.</exception>
    public void Check(string description, bool hasFiles)
    {
        foreach (var (flag, side) in new[] { ("--resize", Resize), ("--crop", Crop) })
        {
            if (side is < 1 or > LongestSide)
            {
                throw new BadInputException(FormattableString.Invariant($"The flag {flag} needs a number of pixels from 1 to {LongestSide}, but {side} was given."));
            }
        }

        if (!hasFiles && (Resize ?? Crop) is not null)
        {
            throw new BadInputException($"Only image files are resized and cropped, but the images are those of {description}; remove --resize and --crop, or use images:PATH.");
        }

        if (LabelFile is { } table && !File.Exists(DataLocations.Resolve(table)))
        {
            throw new BadInputException($"The labels should be read from the CSV file '{table}', but there is no such file; give the path of a CSV file, file for those of the data set, or, for an attack, predicted.");
        }

        if (!hasFiles && LabelFile is not null)
        {
            throw new BadInputException($"A CSV file of labels names image files, but the images are those of {description}; remove --labels, or use images:PATH.");
        }
    }
}
