namespace Brink.Data;

/// <summary>Reads the binary version of CIFAR-10 (Krizhevsky 2009): 60,000 colour photographs of 32×32 pixels in ten classes.</summary>
/// <remarks>
/// The format (https://www.cs.toronto.edu/~kriz/cifar.html): an image is 3073 bytes, first the label (0 to 9), then 1024 bytes
/// of red, 1024 of green and 1024 of blue, each row by row. A file is a sequence of images.
/// </remarks>
public static class Cifar10
{
    private const int Side = 32;
    private const int Channels = 3;
    private const int ImageLength = Channels * Side * Side;
    private const int RecordLength = 1 + ImageLength;

    /// <summary>The names of the ten classes in the order of the labels.</summary>
    public static IReadOnlyList<string> ClassNames { get; } =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>The folder of <see cref="FileNames"/> in a data folder.</summary>
    internal const string Folder = "cifar10";

    /// <summary>The published files: five files of training images, then the file of test images.</summary>
    internal static IReadOnlyList<string> FileNames { get; } = ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"];

    /// <summary>Reads the 10,000 test images downloaded by <c>brink data fetch cifar10</c>.</summary>
    /// <returns>The images.</returns>
    /// <exception cref="BadInputException">Thrown when they are in no data folder, or are damaged.</exception>
    public static ImageSet ReadTest() => Read(Folder, () => Downloaded(FileNames.Skip(FileNames.Count - 1)));

    /// <summary>Reads the 50,000 training images downloaded by <c>brink data fetch cifar10</c>.</summary>
    /// <returns>The images.</returns>
    /// <exception cref="BadInputException">Thrown when they are in no data folder, or are damaged.</exception>
    public static ImageSet ReadTraining() => Read(Folder, () => Downloaded(FileNames.SkipLast(1)));

    /// <summary>Reads one file, or all <c>*.bin</c> files of a folder in the ordinal order of their names.</summary>
    /// <param name="path">
    /// A file of any name, or a folder. The published folder gives the 50,000 training images (<c>data_batch_1.bin</c> to <c>_5</c>),
    /// then the 10,000 test images (<c>test_batch.bin</c>).
    /// </param>
    /// <returns>The images in the order of the files.</returns>
    /// <exception cref="BadInputException">Thrown when the path does not exist or is not CIFAR-10.</exception>
    public static ImageSet Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Read(path, () => FilesAt(path));
    }

    private static ImageSet Read(string path, Func<string[]> files)
    {
        try
        {
            return Read(files());
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"CIFAR-10 should be read from '{path}', but it cannot be opened ({Excerpt.Reason(exception)}); check its permissions.", exception);
        }
    }

    private static string[] Downloaded(IEnumerable<string> names)
    {
        var paths = names.Select(name => DataLocations.Resolve(Path.Combine(Folder, name))).ToArray();
        return Array.TrueForAll(paths, File.Exists)
            ? paths
            : throw new BadInputException($"CIFAR-10 is in none of the folders {string.Join(", ", DataLocations.Folders)}; run brink data fetch cifar10, or use cifar10:PATH if it is elsewhere.");
    }

    private static string[] FilesAt(string path)
    {
        if (File.Exists(path))
        {
            return [path];
        }

        if (!Directory.Exists(path))
        {
            throw new BadInputException($"CIFAR-10 needs a binary batch file or a folder of them, but there is nothing at '{path}'; check the path.");
        }

        var files = Directory.GetFiles(path, "*.bin");
        Array.Sort(files, StringComparer.Ordinal);
        return files.Length > 0
            ? files
            : throw new BadInputException($"CIFAR-10 needs files such as test_batch.bin, but the folder '{path}' contains no .bin file; give the folder into which the binary version was unpacked.");
    }

    private static ImageSet Read(string[] paths)
    {
        // All lengths are checked first, so that a wrong file is reported before hundreds of megabytes are read.
        var total = paths.Sum(CheckedImageCount);
        if (total * ImageLength > Array.MaxLength)
        {
            throw new BadInputException($"CIFAR-10 has 60,000 images and at most {Array.MaxLength / ImageLength} fit in memory, but {total} were given; give fewer files.");
        }

        var pixels = new byte[total * ImageLength];
        var labels = new long[total];
        var next = 0;
        foreach (var path in paths)
        {
            next = ReadFile(path, pixels, labels, next);
        }

        return new ImageSet("cifar10", ClassNames, Channels, Side, Side, pixels, labels);
    }

    private static long CheckedImageCount(string path)
    {
        using var file = Open(path);
        return file.Length % RecordLength == 0
            ? file.Length / RecordLength
            : throw new BadInputException($"A CIFAR-10 file consists of images of {RecordLength} bytes, but '{path}' has {file.Length} bytes; it is incomplete or another kind of file, so download the binary version again.");
    }

    private static FileStream Open(string path) => RegularFile.Open(path)
        ?? throw new BadInputException($"A CIFAR-10 file must be a regular file with content, but '{path}' has none: it is empty, or a pipe or a device; copy it into a file, or download it again.");

    private static int ReadFile(string path, byte[] pixels, long[] labels, int next)
    {
        using var stream = Open(path);
        var record = new byte[RecordLength];
        for (var index = 0; index < stream.Length / RecordLength; index++, next++)
        {
            stream.ReadExactly(record);
            if (record[0] >= ClassNames.Count)
            {
                throw new BadInputException($"A CIFAR-10 label is between 0 and 9, but image {index} of '{path}' has the label {record[0]}; the file is damaged or not CIFAR-10, so download the binary version again.");
            }

            labels[next] = record[0];
            record.AsSpan(1).CopyTo(pixels.AsSpan(next * ImageLength));
        }

        return next;
    }
}
