using System.Buffers.Binary;
using System.IO.Compression;

namespace Brink.Data.Tests;

public sealed class IdxFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Images_and_labels_are_read_also_compressed()
    {
        byte[] pixels = [.. Enumerable.Range(0, 12).Select(value => (byte)(20 * value))];
        var images = Write("images", [2, 2, 3], pixels);
        var labels = Write("labels", [2], [7, 3]);
        foreach (var description in new[] { $"idx:{images},{labels}", $"idx:{Compress(images)},{Compress(labels)}" })
        {
            var set = DataCatalog.Open(description);
            Assert.Equal((2, 1, 2, 3), (set.Count, set.Channels, set.Height, set.Width));
            Assert.Equal(pixels, set.Pixels(0).ToArray().Concat(set.Pixels(1).ToArray()));
            Assert.Equal((7L, 3L), (set.Label(0), set.Label(1)));
            Assert.Equal(["0", "1", "2", "3", "4", "5", "6", "7"], set.ClassNames);
        }

        Assert.Equal(1, DataCatalog.Open($"idx:{images},{labels}", skip: 1).FirstIndex);
        var colour = DataCatalog.Open($"idx:{images}", 0, null, new() { NeedsLabels = false, Channels = PixelChannels.Rgb }, CancellationToken.None);
        Assert.Equal((2, 3), (colour.Count, colour.Channels));
        Assert.Equal(pixels.Take(6).Concat(pixels.Take(6)).Concat(pixels.Take(6)), colour.Pixels(0).ToArray());
    }

    [Fact]
    public void Files_that_cannot_be_used_are_refused()
    {
        var images = Write("images", [2, 2, 2], new byte[8]);
        var labels = Write("labels", [2], [1, 0]);
        AssertRefused($"{images}", "file of labels");
        AssertRefused($"{labels},{images}", "images first");
        AssertRefused($"{images},{Write("three", [3], [1, 0, 2])}", "2 images");
        AssertRefused($"{images},{_folder["absent"]}", "no such file");
        AssertRefused($"{Write("short", [2, 2, 2], new byte[7])},{labels}", "incomplete");
        AssertRefused($"{Write("long", [2, 2, 2], new byte[9])},{labels}", "longer");
        AssertRefused($"{Write("huge", [int.MaxValue, int.MaxValue, 9], [])},{labels}", "shorter");
        AssertRefused($"{Write("negative", [-1, 2, 2], [])},{labels}", "shorter");
        AssertRefused($"{Write("flat", [2, 0, 2], [])},{labels}", "at least one pixel");
        AssertRefused($"{Write("none", [0, 2, 2], [])},{Write("nothing", [0], [])}", "none are left");
        AssertRefused($"{Compress(Write("shorter", [2, 2, 2], new byte[7]))},{labels}", "incomplete");
        File.WriteAllBytes(_folder["text.gz"], "no gzip"u8.ToArray());
        AssertRefused($"{_folder["text.gz"]},{labels}", "cannot be read");
        AssertRefused("", "idx:IMAGES,LABELS");
        if (OperatingSystem.IsLinux())
        {
            // Most file systems of Linux do not store the zeros.
            AssertRefused($"{Extended(Write("large", [1, 40_000, 50_000], []), 2_100_000_000)},{labels}", "50000×40000 pixels");
            AssertRefused($"{Extended(Write("many", [100_000, 200, 200], []), 4_100_000_000)},{labels}", "fit in memory");
        }

        File.WriteAllBytes(_folder["empty"], []);
        AssertRefused($"{_folder["empty"]},{labels}", "it is empty");
        if (!OperatingSystem.IsWindows())
        {
            System.Diagnostics.Process.Start("mkfifo", [_folder["pipe"]]).WaitForExit();
            AssertRefused($"{images},{_folder["pipe"]}", "a pipe or a device");
        }
    }

    [Fact]
    public void The_first_images_of_MNIST_have_their_labels()
    {
        var set = DataCatalog.Open($"idx:{SharedFiles.DataFile("onnx", "mnist_0000-0499.idx3")},{SharedFiles.DataFile("onnx", "mnist_0000-0499.idx1")}");
        Assert.Equal((500, 1, 28, 28), (set.Count, set.Channels, set.Height, set.Width));
        Assert.Equal([7L, 2, 1, 0, 4], Enumerable.Range(0, 5).Select(set.Label));
        Assert.Equal(10, set.ClassNames.Count);
    }

    private static void AssertRefused(string files, string reason)
    {
        var message = Assert.Throws<BadInputException>(() => DataCatalog.Open($"idx:{files}")).Message;
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.EndsWith(".", message, StringComparison.Ordinal);
    }

    private string Write(string name, int[] size, byte[] values)
    {
        using var file = File.Create(_folder[name]);
        file.Write([0, 0, 8, (byte)size.Length]);
        Span<byte> number = stackalloc byte[4];
        foreach (var side in size)
        {
            BinaryPrimitives.WriteInt32BigEndian(number, side);
            file.Write(number);
        }

        file.Write(values);
        return _folder[name];
    }

    private static string Extended(string path, long length)
    {
        using var file = File.OpenWrite(path);
        file.SetLength(length);
        return path;
    }

    private static string Compress(string path)
    {
        using var file = File.Create($"{path}.gz");
        using var gzip = new GZipStream(file, CompressionLevel.Fastest);
        gzip.Write(File.ReadAllBytes(path));
        return $"{path}.gz";
    }
}
