using System.Buffers.Binary;
using System.IO.Compression;

namespace Brink.Data;

/// <summary>Reads images and labels in the format of MNIST (LeCun et al. 1998), also compressed with gzip.</summary>
/// <remarks>
/// The format (http://yann.lecun.com/exdb/mnist/): two zero bytes, the type (8: bytes), the number of dimensions, the length of each dimension
/// as a 32-bit integer with the highest byte first, then the values. Images have the dimensions [image, row, column], labels [image].
/// </remarks>
internal static class IdxFiles
{
    private const byte Bytes = 8;

    // Deflate makes at most 1032 bytes of one.
    private const int LargestRatio = 1032;

    /// <summary>Reads images of one channel.</summary>
    /// <param name="images">The file of the images.</param>
    /// <param name="labels">The file of the labels; null if they are predicted.</param>
    /// <exception cref="BadInputException">Thrown when a file does not exist, cannot be read or is not in this format, or there are not as many labels as images.</exception>
    public static ImageSet Read(string images, string? labels)
    {
        var (pixels, size) = Read(images, dimensions: 3, "images");
        if (size[1] == 0 || size[2] == 0)
        {
            throw new BadInputException($"Images need at least one pixel, but those of '{images}' have {size[1]} rows and {size[2]} columns.");
        }

        var (values, count) = labels is null ? (new byte[size[0]], [size[0]]) : Read(labels, dimensions: 1, "labels");
        if (count[0] != size[0])
        {
            throw new BadInputException($"Each image needs a label, but '{images}' has {size[0]} images and '{labels}' {count[0]} labels; give the two files of one set.");
        }

        string[] names = labels is null ? ["class 0"] : [.. Enumerable.Range(0, values.Length == 0 ? 1 : values.Max() + 1).Select(number => FormattableString.Invariant($"{number}"))];
        return new(Path.GetFileName(images), names, channels: 1, size[1], size[2], pixels, Array.ConvertAll(values, value => (long)value));
    }

    private static (byte[] Values, int[] Size) Read(string path, byte dimensions, string what)
    {
        try
        {
            if (!File.Exists(path))
            {
                throw new BadInputException($"The {what} of an idx data set should be in '{path}', but there is no such file; check the path.");
            }

            // An open pipe, such as /dev/stdin, is read. A named one is not, because opening it might not end.
            if (RegularFile.Target(new FileInfo(path)) is { Exists: true, Length: 0 })
            {
                throw new BadInputException($"The {what} of an idx data set should be in a regular file with content, but '{path}' has none: it is empty, or a pipe or a device; copy it into a file first.");
            }

            using var file = File.OpenRead(path);
            var isCompressed = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
            using Stream stream = isCompressed ? new GZipStream(file, CompressionMode.Decompress) : file;
            var header = new byte[4 + (4 * dimensions)];
            stream.ReadExactly(header, 0, 4);
            if (header[0] != 0 || header[1] != 0 || header[2] != Bytes || header[3] != dimensions)
            {
                throw new BadInputException($"A file of {what} begins with the bytes 0, 0, 8, {dimensions}, but '{path}' begins with {string.Join(", ", header.Take(4))}; give a file in the format of MNIST, the images first.");
            }

            stream.ReadExactly(header, 4, header.Length - 4);
            int[] size = [.. Enumerable.Range(0, dimensions).Select(dimension => BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4 + (4 * dimension))))];
            var length = size.Aggregate(1.0, (product, side) => side < 0 ? double.PositiveInfinity : product * side);
            // Checked before memory is allocated, because a header can state any size.
            if (double.IsInfinity(length) || (file.CanSeek && length > file.Length * (double)(isCompressed ? LargestRatio : 1)))
            {
                throw new BadInputException($"The {what} '{path}' should have {string.Join('×', size)} values, but the file is shorter; it is incomplete or damaged, so download it again.");
            }

            if (size is [_, > 0 and var height, > 0 and var width])
            {
                ImageSet.CheckSize(path, channels: 1, height, width);
            }

            if (length > Array.MaxLength)
            {
                throw new BadInputException($"At most {Array.MaxLength} values fit in memory, but the {what} '{path}' should have {string.Join('×', size)}; give a smaller file.");
            }

            var values = new byte[(int)length];
            stream.ReadExactly(values);
            return stream.ReadByte() < 0
                ? (values, size)
                : throw new BadInputException($"The {what} '{path}' should have {string.Join('×', size)} values, but the file is longer; it is damaged, so download it again.");
        }
        catch (EndOfStreamException exception)
        {
            throw new BadInputException($"The {what} '{path}' end too early; the file is incomplete, so download it again.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new BadInputException($"The {what} of an idx data set should be read from '{path}', but it cannot be read ({Excerpt.Reason(exception)}); check the file.", exception);
        }
    }
}
