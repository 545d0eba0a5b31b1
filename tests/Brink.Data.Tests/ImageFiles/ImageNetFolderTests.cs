using System.Security.Cryptography;
using System.Text.Json;

namespace Brink.Data.Tests.ImageFiles;

public sealed class ImageNetFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>The indices of the pictures of Golden/generate.py.</summary>
    public static TheoryData<int> Cases => [.. Enumerable.Range(0, Golden().GetArrayLength())];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [Trait("speed", "slow")]
    [MemberData(nameof(Cases))]
    public void Resizing_and_cropping_equal_torchvision_and_PIL_in_every_byte(int number)
    {
        var golden = Golden()[number];
        var png = Pictures.Png(
            golden.GetProperty("width").GetInt32(),
            golden.GetProperty("height").GetInt32(),
            (x, y) => new((byte)((x * 7) + (y * 3) + (x * y / 5)), (byte)((x ^ y) * 5), (byte)(((x * x) + (3 * y)) / 4)));
        var set = ImageNetFolder.Read(Pictures.Folder(_folder.Path, ("n01440764/1.png", png)));
        Assert.Equal((3, 224, 224), (set.Channels, set.Height, set.Width));
        var pixels = set.Pixels(0).ToArray();
        var samples =
            from channel in Enumerable.Range(0, 3)
            from row in Enumerable.Range(0, 7)
            from column in Enumerable.Range(0, 7)
            select (int)pixels[(((channel * 224) + (37 * row)) * 224) + (37 * column)];
        Assert.Equal(golden.GetProperty("samples").EnumerateArray().Select(value => value.GetInt32()), samples);
        Assert.Equal(golden.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(pixels)));
    }

    [Fact]
    public void The_thousand_synsets_are_in_the_order_of_the_labels()
    {
        Assert.Equal(1000, ImageNetFolder.Synsets.Count);
        Assert.Equal(ImageNetFolder.Synsets.Order(StringComparer.Ordinal).Distinct(StringComparer.Ordinal).ToArray(), ImageNetFolder.Synsets.ToArray());
        // Labels 0, 1 and 999 are tench, goldfish and toilet tissue.
        Assert.Equal(("n01440764", "n01443537", "n15075141"), (ImageNetFolder.Synsets[0], ImageNetFolder.Synsets[1], ImageNetFolder.Synsets[999]));
    }

    [Fact]
    public void Labels_are_indices_among_the_thousand_synsets_and_not_among_the_folders()
    {
        var set = ImageNetFolder.Read(Pictures.Tar(_folder["val.tar"], ("val/n15075141/1.png", Pictures.Grey(2)), ("val/n01443537/1.png", Pictures.Grey(1))));
        Assert.Equal((1L, 999L), (set.Label(0), set.Label(1)));
        Assert.All(set.Pixels(0).ToArray(), value => Assert.Equal(1, value));
        Assert.All(set.Pixels(1).ToArray(), value => Assert.Equal(2, value));
    }

    [Fact]
    public void A_folder_that_is_not_a_synset_is_refused() =>
        Assert.Contains("'tench'", Assert.Throws<BadInputException>(() => ImageNetFolder.Read(Pictures.Folder(_folder.Path, ("n01440764/1.png", Pictures.Grey(1)), ("tench/1.png", Pictures.Grey(1))))).Message, StringComparison.Ordinal);

    [Fact]
    public void Very_elongated_pictures_are_cropped()
    {
        var set = ImageNetFolder.Read(Pictures.Folder(_folder.Path, ("n01440764/1.png", Pictures.Png(2, 5000, (_, _) => new(9, 9, 9))), ("n01440764/2.png", Pictures.Png(5000, 1, (_, _) => new(9, 9, 9)))));
        Assert.All(set.Pixels(0).ToArray().Concat(set.Pixels(1).ToArray()), value => Assert.Equal(9, value));
    }

    [Fact]
    [Trait("speed", "slow")]
    public void A_picture_that_is_too_elongated_is_left_out()
    {
        var thread = Pictures.Png(200_000, 1, (_, _) => new(9, 9, 9));
        var set = ImageNetFolder.Read(Pictures.Folder(_folder.Path, ("n01440764/1.png", thread), ("n01440764/2.png", Pictures.Grey(1))));
        Assert.Contains("1.png (its 200000×1 pixels are too elongated)", Assert.Single(set.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("speed", "slow")]
    public void Each_photograph_has_the_label_of_its_folder()
    {
        var one = SharedFiles.DataFile("imagenet", "val", "n02110806", "n02110806_basenji.JPEG");
        var set = ImageNetFolder.Read(Path.GetFullPath(Path.Combine(one, "..", "..")));
        Assert.Equal(56, set.Count);
        Assert.Empty(set.Warnings);
        Assert.Equal(56, Enumerable.Range(0, 56).Select(set.Label).Distinct().Count());
        using var images = set.Images(0, 56);
        using var means = images.mean([0, 2, 3]);
        // The mean of ImageNet is (0.485, 0.456, 0.406); that of 56 photographs differs by less than 0.1.
        Assert.Equal([0.485, 0.456, 0.406], means.data<float>().Select(mean => (double)mean), (mean, other) => Math.Abs(mean - other) < 0.1);
    }

    private static JsonElement Golden() => JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", "resize.json"))).RootElement.GetProperty("cases");
}
