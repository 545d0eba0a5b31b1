using System.Diagnostics;
using System.Formats.Tar;
using SkiaSharp;

namespace Brink.Data.Tests.ImageFiles;

public sealed class ImageFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Images_are_in_the_order_of_their_paths_and_classes_in_the_order_of_their_names()
    {
        var set = ImageFolder.Read(Pictures.Folder(
            _folder.Path, ("b/2.png", Pictures.Grey(4)), ("B/1.png", Pictures.Grey(2)), ("a/10.png", Pictures.Grey(3)), ("b/10.PNG", Pictures.Grey(5)), ("A/1.png", Pictures.Grey(1))));
        Assert.Equal(["A", "B", "a", "b"], set.ClassNames);
        Assert.Equal([1, 2, 3, 5, 4], Greys(set));
        Assert.Equal([0L, 1, 2, 3, 3], Labels(set));
        Assert.Empty(set.Warnings);
    }

    [Fact]
    public void The_class_names_of_CIFAR_10_give_its_official_labels()
    {
        var files = Cifar10.ClassNames.Reverse().Select(name => ($"{name}/0.png", Pictures.Grey(0))).ToArray();
        Assert.Equal(Cifar10.ClassNames, ImageFolder.Read(Pictures.Folder(_folder.Path, files)).ClassNames);
    }

    [Fact]
    public void Every_pixel_of_a_png_has_the_correct_value_and_position()
    {
        static SKColor Color(int x, int y) => new((byte)(10 * x), (byte)(20 * y), (byte)(x + y + 100));
        var set = ImageFolder.Read(Pictures.Folder(_folder.Path, ("a/1.png", Pictures.Png(5, 3, Color))));
        Assert.Equal((3, 3, 5), (set.Channels, set.Height, set.Width));
        var expected =
            from channel in Enumerable.Range(0, 3)
            from y in Enumerable.Range(0, 3)
            from x in Enumerable.Range(0, 5)
            let color = Color(x, y)
            select channel switch { 0 => color.Red, 1 => color.Green, _ => color.Blue };
        Assert.Equal(expected, set.Pixels(0).ToArray());
    }

    [Fact]
    public void Transparency_is_ignored_and_does_not_change_colours()
    {
        var set = ImageFolder.Read(Pictures.Folder(_folder.Path, ("a/1.png", Pictures.PngWithAlpha(1, 1, (_, _) => new SKColor(200, 100, 50, 128)))));
        Assert.Equal([200, 100, 50], set.Pixels(0).ToArray());
    }

    [Fact]
    public void A_jpeg_is_read_with_any_extension()
    {
        var red = Pictures.Jpeg(16, 16, new SKColor(250, 20, 10));
        var set = ImageFolder.Read(Pictures.Folder(_folder.Path, ("a/1.jpg", red), ("a/2.JPEG", red), ("a/3.png", red)));
        Assert.Equal(3, set.Count);
        Assert.All(Enumerable.Range(0, 3), index => Assert.True(Math.Abs(set.Pixels(index)[0] - 250) < 4 && set.Pixels(index)[^1] < 16));
    }

    [Theory]
    [InlineData(TarEntryFormat.V7)]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    public void An_archive_gives_the_same_images_as_its_folder(TarEntryFormat format)
    {
        (string, byte[])[] files = [("b/2.png", Pictures.Grey(3)), ("a/2.png", Pictures.Grey(2)), ("a/1.png", Pictures.Grey(1)), ("a/read.me", [1])];
        var packed = ImageFolder.Read(Pictures.Tar(_folder["images.tar"], format, [.. files.Select(file => ($"./some/train/{file.Item1}", file.Item2))]));
        var unpacked = ImageFolder.Read(Pictures.Folder(_folder["images"], files));
        Assert.Equal([1, 2, 3], Greys(packed));
        Assert.Equal(Greys(unpacked), Greys(packed));
        Assert.Equal(Labels(unpacked), Labels(packed));
        Assert.Equal(["a", "b"], packed.ClassNames);
    }

    [Fact]
    public void The_last_copy_of_a_file_in_an_archive_is_used() =>
        Assert.Equal([2], Greys(ImageFolder.Read(Pictures.Tar(_folder["images.tar"], ("a/1.png", Pictures.Grey(1)), ("a/1.png", Pictures.Grey(2))))));

    [Fact]
    public void Hidden_files_are_ignored()
    {
        // Archives created on macOS contain "._1.png" beside "1.png".
        (string, byte[])[] files = [("a/._1.png", [1, 2]), ("a/1.png", Pictures.Grey(7)), (".cache/b/1.png", [3]), (".cache/b/2.png", [3]), ("__MACOSX/a/._1.png", [4])];
        foreach (var path in FolderAndArchive(files))
        {
            var set = ImageFolder.Read(path);
            Assert.Equal([7], Greys(set));
            Assert.Equal(["a"], set.ClassNames);
            Assert.EndsWith("0 of other types than PNG and JPEG, 3 hidden.", Assert.Single(set.Warnings), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Files_of_other_types_are_counted()
    {
        foreach (var path in FolderAndArchive(("a/1.png", Pictures.Grey(7)), ("labels.csv", [1]), ("a/2.webp", [2]), ("a/3.WEBP", [2]), ("a/readme", [3])))
        {
            var set = ImageFolder.Read(path);
            Assert.Equal(1, set.Count);
            Assert.EndsWith("skipped: 4 of other types than PNG and JPEG (no extension, .csv, .webp), 0 hidden.", Assert.Single(set.Warnings), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Names_that_are_numbers_are_taken_in_numeric_order()
    {
        foreach (var path in FolderAndArchive([.. Enumerable.Range(0, 12).Select(number => ($"{number}/1.png", Pictures.Grey((byte)number)))]))
        {
            var set = ImageFolder.Read(path);
            Assert.Equal(Greys(set).Select(grey => (long)grey), Labels(set));
            Assert.Equal(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"], set.ClassNames);
            Assert.Contains("numeric order, 0, 1, 2, 3, … 11,", Assert.Single(set.Warnings), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void One_name_that_is_no_number_gives_the_order_of_characters()
    {
        var set = ImageFolder.Read(Pictures.Folder(_folder.Path, ("2/1.png", Pictures.Grey(1)), ("10/1.png", Pictures.Grey(1)), ("x/1.png", Pictures.Grey(1))));
        Assert.Equal(["10", "2", "x"], set.ClassNames);
        Assert.Empty(set.Warnings);
    }

    [Fact]
    public void Two_names_of_one_number_are_refused() => AssertRefused(Pictures.Folder(_folder.Path, ("2/1.png", Pictures.Grey(1)), ("02/1.png", Pictures.Grey(1))), "'02' and '2'", "same number");

    [Fact]
    public void A_class_folder_without_images_keeps_its_number()
    {
        foreach (var path in FolderAndArchive(("x/c/1.png", Pictures.Grey(3)), ("x/b/", []), ("x/a/1.png", Pictures.Grey(1)), ("x/d/note.txt", [1]), ("x/e/1.png", Pictures.Grey(5)), ("x/e/deeper/", [])))
        {
            var set = ImageFolder.Read(path);
            Assert.Equal(["a", "b", "c", "d", "e"], set.ClassNames);
            Assert.Equal([0L, 2, 4], Labels(set));
            Assert.Contains("no PNG or JPEG image: b, d;", Assert.Single(set.Warnings, warning => warning.Contains("Class folders", StringComparison.Ordinal)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Grey_and_transparent_images_are_counted()
    {
        foreach (var path in FolderAndArchive(("a/1.png", Pictures.Grey(1)), ("a/2.png", Pictures.PngOfGreyValues(4, 2)), ("a/3.png", Pictures.PngOfGreyValues(4, 3)), ("b/4.png", Pictures.PngWithAlpha(4, 4, (_, _) => new(4, 4, 4, 128)))))
        {
            var set = ImageFolder.Read(path);
            Assert.Equal([1, 2, 3, 4], Greys(set));
            Assert.Equal(2, set.Warnings.Count);
            Assert.EndsWith("three equal colour channels: 2.", set.Warnings[0], StringComparison.Ordinal);
            Assert.EndsWith("RGBA file): 1.", set.Warnings[1], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Images_in_subfolders_have_the_class_of_the_class_folder()
    {
        var set = ImageFolder.Read(Pictures.Folder(_folder.Path, ("all/dog/day/1.png", Pictures.Grey(3)), ("all/cat/1.png", Pictures.Grey(1)), ("all/dog/1.png", Pictures.Grey(2))));
        Assert.Equal(["cat", "dog"], set.ClassNames);
        Assert.Equal([0L, 1, 1], Labels(set));
    }

    [Fact]
    public void A_single_class_keeps_its_name() =>
        Assert.Equal(["cat"], ImageFolder.Read(Pictures.Folder(_folder.Path, ("all/cat/1.png", Pictures.Grey(1)))).ClassNames);

    [Fact]
    public void A_part_opens_only_its_own_files_and_has_their_first_index()
    {
        var set = ImageFolder.Read(Pictures.Folder(_folder.Path, ("a/1.png", [0]), ("a/2.png", Pictures.Grey(2)), ("b/3.png", Pictures.Grey(3)), ("c/4.png", Pictures.Grey(4, side: 9))), skip: 1, limit: 2);
        Assert.Equal([2, 3], Greys(set));
        Assert.Equal([0L, 1], Labels(set));
        Assert.Equal(["a", "b", "c"], set.ClassNames);
        Assert.Equal(1, set.FirstIndex);
        Assert.Empty(set.Warnings);
    }

    [Fact]
    public void Unreadable_images_are_counted_and_named_and_the_others_are_read()
    {
        var whole = Pictures.Grey(9, side: 64);
        var jpeg = Pictures.Jpeg(64, 64, new SKColor(1, 2, 3));
        var noise = Pictures.Png(64, 64, (x, y) => new((byte)(x * y), (byte)(x ^ y), 0));
        noise.AsSpan(noise.Length / 2, 8).Fill(0x55);
        var set = ImageFolder.Read(Pictures.Folder(
            _folder.Path, ("a/1.png", []), ("a/2.png", whole), ("a/3.jpg", "no image"u8.ToArray()), ("b/4.jpg", jpeg[..^20]), ("b/5.png", whole[..^30]), ("b/6.png", noise), ("b/7.png", whole)));
        Assert.Equal([9, 9], Greys(set));
        Assert.Equal([0L, 1], Labels(set));
        var warning = Assert.Single(set.Warnings);
        Assert.Contains("Of 7 images", warning, StringComparison.Ordinal);
        Assert.Contains("5 cannot be read", warning, StringComparison.Ordinal);
        Assert.All(["a/1.png (it is empty, or a pipe or a device)", "a/3.jpg (it is not an image)", "b/4.jpg (it is incomplete)", "b/5.png (", "b/6.png ("], part => Assert.Contains(part, warning, StringComparison.Ordinal));
        Assert.DoesNotContain("7.png", warning, StringComparison.Ordinal);
        Assert.Equal(set.Warnings, set.Slice(1, 1).Warnings);
    }

    [Fact]
    public void An_image_of_more_pixels_than_fit_in_memory_is_left_out()
    {
        var bomb = Pictures.Jpeg(64, 64, new SKColor(1, 2, 3));
        // Height and width follow the marker of the frame, its length and the precision (ITU-T T.81, B.2.2).
        var frame = bomb.AsSpan().IndexOf([(byte)0xff, (byte)0xc0]);
        Assert.True(frame > 0);
        new byte[] { 0xea, 0x60, 0xea, 0x60 }.CopyTo(bomb, frame + 5);
        var set = ImageFolder.Read(Pictures.Folder(_folder.Path, ("a/1.jpg", bomb), ("a/2.png", Pictures.Grey(9))));
        Assert.Equal([9], Greys(set));
        Assert.Contains("a/1.jpg (it has too many pixels, 60000×60000)", Assert.Single(set.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_of_many_unreadable_images_are_named()
    {
        var files = Enumerable.Range(0, 9).Select(index => ($"a/{index}.png", Array.Empty<byte>())).Append(("a/9.png", Pictures.Grey(1))).ToArray();
        Assert.EndsWith("a/4.png (it is empty, or a pipe or a device) and 4 more.", Assert.Single(ImageFolder.Read(Pictures.Folder(_folder.Path, files)).Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Images_outside_the_class_folders_are_counted() =>
        Assert.EndsWith(": 1.", Assert.Single(ImageFolder.Read(Pictures.Folder(_folder.Path, ("title.png", [1]), ("a/1.png", Pictures.Grey(1)))).Warnings), StringComparison.Ordinal);

    [Fact]
    public void A_set_without_readable_images_is_refused() => AssertRefused(Pictures.Folder(_folder.Path, ("a/1.png", [1]), ("a/2.png", [])), "None of the 2 images", "a/1.png (it is not an image)");

    [Fact]
    public void Different_sizes_are_refused_with_the_first_image_that_differs() =>
        AssertRefused(
            Pictures.Folder(_folder.Path, ("a/0.png", [1]), ("a/1.png", Pictures.Grey(1)), ("a/2.png", Pictures.Grey(1, side: 5)), ("a/3.png", Pictures.Grey(1, side: 6))),
            "a/2.png", "5×5", "4×4", "--resize N", "--crop N");

    [Fact]
    public void An_image_that_becomes_too_large_is_refused()
    {
        var images = Pictures.Folder(_folder["images"], ("a/1.png", Pictures.Png(3, 60, (_, _) => new(1, 2, 3))));
        var message = Assert.Throws<BadInputException>(() => DataCatalog.Open($"images:{images}", 0, null, new() { Resize = 5000 }, CancellationToken.None)).Message;
        Assert.Contains("5000×100000 pixels", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_skip_beyond_the_end_is_refused()
    {
        var folder = Pictures.Folder(_folder.Path, ("a/1.png", Pictures.Grey(1)));
        Assert.Contains("none are left after skipping 1", Assert.Throws<BadInputException>(() => ImageFolder.Read(folder, skip: 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_files_and_folders_are_refused_with_a_reason()
    {
        AssertRefused(_folder["absent"], "there is nothing at", "absent");
        AssertRefused(_folder.Path, "contains none");
        AssertRefused(Pictures.Folder(_folder["flat"], ("1.png", Pictures.Grey(1))), "class folders", "--labels FILE.csv", "--labels predicted");
        AssertRefused(Pictures.Folder(_folder["split"], ("train/a/1.png", Pictures.Grey(1)), ("test/a/1.png", Pictures.Grey(1))), "'train'");
        AssertRefused(Write("text.tar", "no archive"u8.ToArray()), "not a tar archive");
        AssertRefused(Write("empty.tar", []), "contains none");
        AssertRefused(Write("images.tar.gz", [0x1f, 0x8b, 8, 0, 0]), "gzip");
        AssertRefused(Write("picture.png", Pictures.Grey(1)), "not a tar archive");
    }

    [Fact]
    public void The_incomplete_file_of_a_truncated_archive_is_left_out()
    {
        var path = Pictures.Tar(_folder["images.tar"], TarEntryFormat.Ustar, ("a/1.png", Pictures.Grey(1)), ("a/2.png", Pictures.Png(64, 64, (x, y) => new((byte)(x * y), (byte)(x ^ y), (byte)x))));
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..2000]);
        try
        {
            Assert.Contains("ends within the file", Assert.Single(ImageFolder.Read(path).Warnings), StringComparison.Ordinal);
        }
        catch (BadInputException exception)
        {
            Assert.Contains("damaged", exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_header_that_states_too_long_attributes_is_refused()
    {
        var path = Pictures.Tar(_folder["images.tar"], TarEntryFormat.Pax, ($"a/{new string('x', 120)}.png", Pictures.Grey(1)));
        var bytes = File.ReadAllBytes(path);
        // The size of the extended attributes, and the checksum of their header.
        "77777777777\0"u8.CopyTo(bytes.AsSpan(124));
        bytes.AsSpan(148, 8).Fill((byte)' ');
        System.Text.Encoding.ASCII.GetBytes(Convert.ToString(bytes.Take(512).Sum(value => value), 8).PadLeft(6, '0') + "\0 ").CopyTo(bytes, 148);
        AssertRefused(Write("long.tar", bytes), "is damaged");
    }

    [Fact]
    public void Links_to_images_are_followed_and_special_files_are_left_out()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("needs the special files of Unix");
        }

        var images = Pictures.Folder(_folder["images"], ("a/1.png", Pictures.Grey(1)), ("a/folder.png/2.png", Pictures.Grey(2)), ("b/", []));
        File.WriteAllBytes(_folder["elsewhere.png"], Pictures.Grey(3));
        File.CreateSymbolicLink(Path.Combine(images, "b/3.png"), _folder["elsewhere.png"]);
        File.CreateSymbolicLink(Path.Combine(images, "b/device.png"), "/dev/zero");
        File.CreateSymbolicLink(Path.Combine(images, "b/dangling.png"), _folder["absent.png"]);
        File.CreateSymbolicLink(Path.Combine(images, "b/circle.png"), Path.Combine(images, "b/circle.png"));
        Process.Start("mkfifo", [Path.Combine(images, "b/pipe.png")]).WaitForExit();
        File.CreateSymbolicLink(Path.Combine(images, "b/to-pipe.png"), Path.Combine(images, "b/pipe.png"));
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(Path.Combine(images, "b/socket.png")));

        var set = ImageFolder.Read(images);
        Assert.Equal([1, 2, 3], Greys(set));
        Assert.Equal([0L, 0, 1], Labels(set));
        var warning = Assert.Single(set.Warnings);
        Assert.StartsWith("Of 9 images", warning, StringComparison.Ordinal);
        Assert.Contains(", 6 cannot be read", warning, StringComparison.Ordinal);
        Assert.Contains("b/device.png (it is empty, or a pipe or a device)", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_to_a_folder_around_it_is_not_followed()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("links need a permission");
        }

        var images = Pictures.Folder(_folder["images"], ("a/1.png", Pictures.Grey(1)), ("b/2.png", Pictures.Grey(2)));
        Directory.CreateSymbolicLink(Path.Combine(images, "a/up"), images);
        Directory.CreateSymbolicLink(Path.Combine(images, "b/root"), "/");
        Directory.CreateSymbolicLink(Path.Combine(images, "c"), Path.Combine(images, "b"));
        Assert.Equal([1, 2, 2], Greys(ImageFolder.Read(images)));
    }

    [Fact]
    public void Links_between_folders_end()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a permission");
        var names = Enumerable.Range(0, 9).Select(index => $"folder{index}").ToArray();
        var images = Pictures.Folder(_folder["images"], [.. names.Select(name => ($"{name}/1.png", Pictures.Grey(1)))]);
        foreach (var (from, to) in names.SelectMany(from => names.Where(to => to != from).Select(to => (from, to))))
        {
            Directory.CreateSymbolicLink(Path.Combine(images, from, to), Path.Combine(images, to));
        }

        Assert.Contains("remove links", Assert.Throws<BadInputException>(() => new FolderStore(images, mostLinked: 10_000)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Folders_that_are_too_deep_are_counted()
    {
        var deep = string.Concat(Enumerable.Repeat("b/", 8));
        var files = new[] { ("a/1.png", Pictures.Grey(1)), ($"{deep}2.png", Pictures.Grey(2)), ($"{deep}b/3.png", Pictures.Grey(3)) };
        var set = ImageFolder.Read(Pictures.Folder(_folder["images"], files));
        Assert.Equal([1, 2], Greys(set));
        Assert.EndsWith("0 hidden, 1 folders more than 8 levels deep.", Assert.Single(set.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Long_and_deep_paths_and_those_outside_of_an_archive_are_counted()
    {
        var set = ImageFolder.Read(Pictures.Tar(
            _folder["images.tar"],
            ("/a/1.png", Pictures.Grey(1)),
            ("b/../a/2.png", Pictures.Grey(2)),
            ($"{string.Concat(Enumerable.Repeat("a/", 50_000))}3.png", Pictures.Grey(3)),
            ($"{string.Concat(Enumerable.Repeat("a/", 64))}4.png", Pictures.Grey(4)),
            ("../../a/5.png", Pictures.Grey(5))));
        Assert.Equal([1, 2], Greys(set));
        Assert.EndsWith("0 hidden, 1 with paths of more than 4096 characters, 1 more than 64 levels deep, 1 outside the archive.", Assert.Single(set.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Links_in_an_archive_are_followed_to_its_files()
    {
        using (var writer = new TarWriter(File.Create(_folder["images.tar"]), TarEntryFormat.Gnu))
        {
            Add(TarEntryType.RegularFile, "a/1.png", content: 1);
            Add(TarEntryType.RegularFile, "a/.store/2.png", content: 2);
            Add(TarEntryType.HardLink, "b/1.png", "./a/1.png");
            Add(TarEntryType.SymbolicLink, "b/2.png", "../a/.store/2.png");
            Add(TarEntryType.SymbolicLink, "b/3.png", "4.png");
            Add(TarEntryType.SymbolicLink, "b/4.png", "1.png");
            Add(TarEntryType.SymbolicLink, "b/outside.png", "../../a/1.png");
            Add(TarEntryType.SymbolicLink, "b/absolute.png", "/a/1.png");
            Add(TarEntryType.SymbolicLink, "b/circle.png", "circle.png");
            Add(TarEntryType.SymbolicLink, "b/folder.png", "../a");
            Add(TarEntryType.Fifo, "b/pipe.png");
            // The file of the hard link is the one before it.
            Add(TarEntryType.RegularFile, "a/1.png", content: 3);

            void Add(TarEntryType type, string name, string? link = null, byte content = 0)
            {
                var entry = new GnuTarEntry(type, name);
                if (link is not null)
                {
                    entry.LinkName = link;
                }
                else if (content > 0)
                {
                    entry.DataStream = new MemoryStream(Pictures.Grey(content));
                }

                writer.WriteEntry(entry);
            }
        }

        var set = ImageFolder.Read(_folder["images.tar"]);
        Assert.Equal([3, 1, 2, 1, 1], Greys(set));
        Assert.Equal([0L, 1, 1, 1, 1], Labels(set));
        Assert.EndsWith("1 hidden, 1 pipes, devices or other special entries, 4 links to no file of the archive.", Assert.Single(set.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_too_long_is_not_read()
    {
        var images = Pictures.Folder(_folder["images"], ("a/1.png", Pictures.Grey(1)));
        using (var file = File.Create(Path.Combine(images, "a/2.png")))
        {
            // Most file systems do not store the zeros.
            file.SetLength(IFileStore.LongestFile + 1L);
        }

        var allocated = GC.GetTotalAllocatedBytes();
        Assert.Contains("a/2.png (it cannot be read: The file has more than 256 MB)", Assert.Single(ImageFolder.Read(images).Warnings), StringComparison.Ordinal);
        Assert.InRange(GC.GetTotalAllocatedBytes() - allocated, 0, IFileStore.LongestFile / 2);
    }

    [Fact]
    public void Long_names_are_cut_and_control_characters_replaced()
    {
        var names = new[] { new string('n', 200), "red\u001b[31m", "line\u2028" };
        var set = ImageFolder.Read(Pictures.Tar(_folder["images.tar"], [("a/1.png", Pictures.Grey(1)), .. names.Select(name => ($"a/{name}.png", (byte[])[1]))]));
        var warning = Assert.Single(set.Warnings);
        Assert.All([$"a/{new string('n', 78)}… (", "red?[31m", "line?"], part => Assert.Contains(part, warning, StringComparison.Ordinal));
    }

    [Fact]
    [Trait("speed", "slow")]
    public void Large_images_leave_no_garbage()
    {
        using var bitmap = new SKBitmap(5000, 5000, SKColorType.Gray8, SKAlphaType.Opaque);
        bitmap.Erase(SKColors.White);
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        var allocated = GC.GetTotalAllocatedBytes();
        for (var round = 0; round < 3; round++)
        {
            using var image = DecodedImage.Decode(data.ToArray());
            Assert.Equal(255, image.Pixels[^2]);
        }

        // One image needs 100 MB.
        Assert.InRange(GC.GetTotalAllocatedBytes() - allocated, 0, 50_000_000);
    }

    [Fact]
    public void Reading_can_be_cancelled()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        var folder = Pictures.Folder(_folder.Path, ("a/1.png", Pictures.Grey(1)));
        Assert.ThrowsAny<OperationCanceledException>(() => ImageFolder.Read(folder, cancellationToken: cancelled.Token));
    }

    [Fact]
    [Trait("speed", "slow")]
    public void The_jpeg_copies_of_CIFAR_10_have_its_classes_and_channel_means()
    {
        var set = ImageFolder.Read(SharedFiles.DataFile("cifar10", "jpeg_test.tar"));
        Assert.Equal(10_000, set.Count);
        Assert.Equal(Cifar10.ClassNames, set.ClassNames);
        Assert.All(Enumerable.Range(0, 10), label => Assert.Equal(1000, Labels(set).Count(other => other == label)));
        using var images = set.Images(0, set.Count);
        using var means = images.mean([0, 2, 3]);
        Assert.Equal([0.4942, 0.4851, 0.4504], means.data<float>().Select(mean => (double)mean), (one, other) => Math.Abs(one - other) < 0.005);
    }

    private static void AssertRefused(string path, params string[] parts)
    {
        var exception = Assert.Throws<BadInputException>(() => ImageFolder.Read(path));
        Assert.EndsWith(".", exception.Message, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.Contains(part, exception.Message, StringComparison.Ordinal));
    }

    private string[] FolderAndArchive(params (string, byte[])[] files) => [Pictures.Folder(_folder["images"], files), Pictures.Tar(_folder["images.tar"], files)];

    private static int[] Greys(ImageSet set) => [.. Enumerable.Range(0, set.Count).Select(index => (int)set.Pixels(index)[0])];

    private static long[] Labels(ImageSet set) => [.. Enumerable.Range(0, set.Count).Select(set.Label)];

    private string Write(string name, byte[] bytes)
    {
        var path = _folder[name];
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
