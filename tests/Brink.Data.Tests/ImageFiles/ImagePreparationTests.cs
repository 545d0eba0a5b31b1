using System.Security.Cryptography;
using System.Text.Json;
using SkiaSharp;

namespace Brink.Data.Tests.ImageFiles;

public sealed class ImagePreparationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_length_and_all_channels_equal_torchvision_and_PIL_in_every_byte()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", "transforms.json")));
        foreach (var entry in golden.RootElement.EnumerateArray())
        {
            var (width, height, mode) = (entry.GetProperty("width").GetInt32(), entry.GetProperty("height").GetInt32(), entry.GetProperty("mode").GetString());
            var png = mode == "RGBA" ? Pictures.PngWithAlpha(width, height, (x, y) => Color(x, y).WithAlpha((byte)((x * 11) + (y * 13)))) : Pictures.Png(width, height, Color);
            var options = new ImageOptions
            {
                Resize = Length(entry, "resize"),
                Crop = Length(entry, "crop"),
                Channels = mode switch { "L" => PixelChannels.Grey, "RGBA" => PixelChannels.Rgba, _ => PixelChannels.Rgb },
            };
            var set = Read([("a/1.png", png)], options);
            Assert.Equal(entry.GetProperty("shape").EnumerateArray().Select(side => side.GetInt32()), [set.Channels, set.Height, set.Width]);
            Assert.True(entry.GetProperty("sha256").GetString() == Convert.ToHexStringLower(SHA256.HashData(set.Pixels(0))), $"{entry}");
        }
    }

    [Fact]
    public void Images_of_several_sizes_become_one_size()
    {
        (string, byte[])[] files = [("a/1.png", Pictures.Grey(1, side: 9)), ("a/2.png", Pictures.Grey(2, side: 5)), ("b/3.png", Pictures.Png(20, 10, (_, _) => new(3, 3, 3)))];
        var cropped = Read(files, new() { Resize = 6, Crop = 4 });
        Assert.Equal((3, 4, 4), (cropped.Count, cropped.Height, cropped.Width));
        Assert.All(Enumerable.Range(0, 3), index => Assert.All(cropped.Pixels(index).ToArray(), value => Assert.Equal(index + 1, value)));
        // Resizing keeps the proportions.
        var message = Assert.Throws<BadInputException>(() => Read(files, new() { Resize = 6 })).Message;
        Assert.Contains("b/3.png", message, StringComparison.Ordinal);
        Assert.Contains("(12×6 after resizing)", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Channels_are_converted_and_reported()
    {
        (string, byte[])[] colour = [("a/1.png", Pictures.Png(2, 2, (_, _) => new(200, 100, 50)))];
        Assert.Equal([50, 50, 50, 50, 100, 100, 100, 100, 200, 200, 200, 200], Read(colour, new() { Channels = PixelChannels.Bgr }).Pixels(0).ToArray());
        var grey = Read(colour, new() { Channels = PixelChannels.Grey });
        Assert.Equal((1, 124), (grey.Channels, grey.Pixels(0)[0]));
        Assert.EndsWith("converted to grey: 1.", Assert.Single(grey.Warnings), StringComparison.Ordinal);
        Assert.Equal(255, Read(colour, new() { Channels = PixelChannels.Rgba }).Pixels(0)[^1]);
        Assert.Empty(Read([("a/1.png", Pictures.PngOfGreyValues(4, 7))], new() { Channels = PixelChannels.Grey }).Warnings);
        Assert.Equal([1, 2, 3, 4], ((PixelChannels[])[PixelChannels.Grey, PixelChannels.Rgb, PixelChannels.Rgba, PixelChannels.Bgr]).Select(channels => new ImageSet("one", ["a"], 1, 1, 1, new byte[] { 9 }, new long[] { 0 }).To(channels)).Select(set => set.Channels).Distinct().Append(2).Order());
    }

    [Fact]
    public void Lengths_out_of_range_and_other_data_sets_are_refused()
    {
        foreach (var options in new ImageOptions[] { new() { Resize = 0 }, new() { Crop = -1 }, new() { Crop = 100_000 } })
        {
            Assert.Contains("pixels from 1 to", Assert.Throws<BadInputException>(() => DataCatalog.Open($"images:{_folder.Path}", 0, null, options, CancellationToken.None)).Message, StringComparison.Ordinal);
        }

        Assert.Contains("--resize", Assert.Throws<BadInputException>(() => DataCatalog.Open("signs", 0, 1, new() { Resize = 32 }, CancellationToken.None)).Message, StringComparison.Ordinal);
        Assert.Contains("CSV", Assert.Throws<BadInputException>(() => DataCatalog.Open("signs", 0, 1, new() { LabelFile = "x.csv" }, CancellationToken.None)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_lengths_replace_those_of_ImageNet()
    {
        var set = ImageNetFolder.Read(Pictures.Folder(_folder.Path, ("n01440764/1.png", Pictures.Grey(3))), 0, null, new() { Resize = 10, Crop = 8 }, CancellationToken.None);
        Assert.Equal((8, 8), (set.Height, set.Width));
    }

    private static SKColor Color(int x, int y) => new((byte)((x * 7) + (y * 3) + (x * y / 5)), (byte)((x ^ y) * 5), (byte)(((x * x) + (3 * y)) / 4));

    private static int? Length(JsonElement entry, string name) => entry.GetProperty(name) is { ValueKind: JsonValueKind.Number } length ? length.GetInt32() : null;

    private ImageSet Read((string, byte[])[] files, ImageOptions options)
    {
        var folder = _folder[Guid.NewGuid().ToString()];
        return ImageFolder.Read(Pictures.Folder(folder, files), 0, null, options, CancellationToken.None);
    }
}
