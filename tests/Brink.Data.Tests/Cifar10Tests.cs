using CsCheck;

namespace Brink.Data.Tests;

public sealed class Cifar10Tests : IDisposable
{
    private const int RecordLength = 3073;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_published_test_images_have_the_expected_labels_and_channel_means()
    {
        var set = Cifar10.Read(SharedFiles.DataFile("cifar10", "test_0000-0499.bin"));
        Assert.Equal(500, set.Count);
        Assert.Equal([3L, 8, 8, 0, 6, 6, 1, 6, 3, 1], Enumerable.Range(0, 10).Select(set.Label));
        Assert.Equal("cat", set.ClassNames[(int)set.Label(0)]);

        // The mean of CIFAR-10 is (0.4914, 0.4822, 0.4465). That of 500 images is near, and only if the channels are in this order.
        using var images = set.Images(0, 500);
        using var means = images.mean([0, 2, 3]);
        Assert.Equal([0.4914, 0.4822, 0.4465], means.data<float>().Select(mean => (double)mean), (one, other) => Math.Abs(one - other) < 0.015);
    }

    [Fact]
    public void Pixels_are_stored_channel_by_channel_and_row_by_row()
    {
        var record = Record(label: 7, fill: 0);
        record[1] = 10; // red, first pixel
        record[1 + 1024 + 33] = 20; // green, second row, second column
        record[1 + 2048 + 1023] = 30; // blue, last pixel
        var set = Cifar10.Read(Write("one.bin", record));

        using var images = set.Images(0, 1);
        Assert.Equal(7, set.Label(0));
        Assert.Equal(10 / 255f, images[0, 0, 0, 0].item<float>());
        Assert.Equal(20 / 255f, images[0, 1, 1, 1].item<float>());
        Assert.Equal(30 / 255f, images[0, 2, 31, 31].item<float>());
    }

    [Fact]
    public void The_bin_files_of_a_folder_are_read_in_ordinal_order()
    {
        Write("test_batch.bin", Record(2, 2));
        Write("data_batch_2.bin", [.. Record(1, 1), .. Record(1, 1)]);
        Write("data_batch_1.bin", Record(0, 0));
        Write("batches.meta.txt", "airplane"u8.ToArray());
        var set = Cifar10.Read(_folder.Path);
        Assert.Equal([0L, 1, 1, 2], Enumerable.Range(0, set.Count).Select(set.Label));
        Assert.Equal(2, set.Pixels(3)[0]);
    }

    [Fact]
    public void A_missing_path_is_refused_by_name() => AssertRefused(_folder["absent"], "there is nothing at", "absent");

    [Fact]
    public void An_empty_path_is_refused() => AssertRefused("", "there is nothing at");

    [Fact]
    public void A_folder_without_bin_files_is_refused() => AssertRefused(_folder.Path, "contains no .bin file");

    [Fact]
    public void An_empty_file_is_refused() => AssertRefused(Write("empty.bin", []), "is empty");

    [Fact]
    public void A_pipe_is_refused()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("needs /proc");
        }

        System.Diagnostics.Process.Start("mkfifo", [_folder["pipe"]]).WaitForExit();
        AssertRefused(_folder["pipe"], "a pipe or a device");
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream(System.IO.Pipes.PipeDirection.Out);
        AssertRefused($"/proc/self/fd/{pipe.ClientSafePipeHandle.DangerousGetHandle()}", "a pipe or a device");
    }

    [Fact]
    public void A_truncated_file_is_refused_with_its_length() =>
        AssertRefused(Write("short.bin", new byte[RecordLength + 100]), "3173 bytes", "3073");

    [Fact]
    public void A_label_above_nine_is_refused_with_its_index() =>
        AssertRefused(Write("label.bin", [.. Record(9, 0), .. Record(10, 0)]), "image 1 of", "label 10");

    [Fact]
    public void A_file_that_cannot_be_opened_is_refused()
    {
        var path = Write("locked.bin", Record(0, 0));
        using var locked = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        AssertRefused(path, "cannot be opened");
    }

    [Fact]
    public void A_file_without_read_permission_is_refused()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            Assert.Skip("needs a user who is subject to Unix permissions");
            return;
        }

        var path = Write("secret.bin", Record(0, 0));
        File.SetUnixFileMode(path, UnixFileMode.None);
        AssertRefused(path, "cannot be opened", "permissions");
    }

    [Fact]
    [Trait("speed", "slow")]
    public void A_file_of_any_length_and_label_gives_a_set_or_a_message() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[-2, 2], Gen.Byte[0, 12], Gen.Int[0, 3 * RecordLength]).Sample(
            (images, extra, value, position) =>
            {
                var bytes = new byte[Math.Max(0, (images * RecordLength) + extra)];
                if (position < bytes.Length)
                {
                    bytes[position] = value;
                }

                var whole = bytes.Length > 0 && bytes.Length % RecordLength == 0;
                var labelled = whole && !(position < bytes.Length && position % RecordLength == 0 && value > 9);
                var path = Write("fuzz.bin", bytes);
                if (labelled)
                {
                    Assert.Equal(images, Cifar10.Read(path).Count);
                }
                else
                {
                    AssertRefused(path);
                }
            },
            iter: 300,
            threads: 1);

    [Fact]
    public void Random_bytes_give_a_set_or_a_message() =>
        Gen.Select(Gen.Byte.Array[0, 64], Gen.Bool, Gen.Int[0, 2]).Sample(
            (noise, whole, images) =>
            {
                var bytes = whole ? new byte[images * RecordLength] : noise;
                noise.AsSpan(0, Math.Min(noise.Length, bytes.Length)).CopyTo(bytes);
                try
                {
                    Assert.Equal(bytes.Length / RecordLength, Cifar10.Read(Write("noise.bin", bytes)).Count);
                }
                catch (BadInputException)
                {
                    // The other allowed outcome.
                }
            },
            iter: 300,
            threads: 1);

    private static void AssertRefused(string path, params string[] parts)
    {
        var exception = Assert.Throws<BadInputException>(() => Cifar10.Read(path));
        Assert.EndsWith(".", exception.Message, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.Contains(part, exception.Message, StringComparison.Ordinal));
    }

    private static byte[] Record(byte label, byte fill) => [label, .. Enumerable.Repeat(fill, RecordLength - 1)];

    private string Write(string name, byte[] bytes)
    {
        var path = _folder[name];
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
