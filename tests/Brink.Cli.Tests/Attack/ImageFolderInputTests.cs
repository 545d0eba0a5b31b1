using System.Text.Json;
using Brink.Data;
using SkiaSharp;

namespace Brink.Cli.Tests.Attack;

/// <summary>Images in folders as the data set of a run.</summary>
[Trait("speed", "slow")]
public sealed class ImageFolderInputTests
{
    [Fact]
    public void Images_in_folders_give_the_results_of_the_same_images_in_memory_and_unreadable_files_are_named()
    {
        using var folder = new TemporaryFolder();
        var signs = TrafficSigns.Generate(TrafficSigns.TestSeed, 30);
        for (var label = 0; label < signs.ClassNames.Count; label++)
        {
            // Folders named by digits keep the order of the classes.
            Directory.CreateDirectory(Path.Combine(folder["signs"], $"{label}"));
        }

        foreach (var index in Enumerable.Range(0, signs.Count))
        {
            File.WriteAllBytes(Path.Combine(folder["signs"], $"{signs.Label(index)}", $"{index:D3}.png"), Png(signs.Pixels(index)));
        }

        File.WriteAllBytes(Path.Combine(folder["signs"], "9", "bad.png"), [1, 2, 3]);
        using var plain = Run("--data", "signs", "--limit", "30");
        using var pictures = Run("--model", "signs", "--data", $"images:{folder["signs"]}");
        foreach (var key in new[] { "images", "misclassified", "attacked", "fooled" })
        {
            Assert.Equal(plain.RootElement.GetProperty(key).GetInt32(), pictures.RootElement.GetProperty(key).GetInt32());
        }

        // The order of the images and therefore the batches differ.
        Assert.Equal(Median(plain), Median(pictures), Median(plain) * 0.01);
        Assert.Contains("9/bad.png", Assert.Single(pictures.RootElement.GetProperty("warnings").EnumerateArray()).GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_image_folder_needs_a_path() =>
        Assert.Contains("images:PATH", Invocation.Of("attack", "--model", "signs", "--data", "images").AssertRefused(), StringComparison.Ordinal);

    private static double Median(JsonDocument results) => results.RootElement.GetProperty("relativePerturbation").GetProperty("median").GetDouble();

    private static JsonDocument Run(params string[] arguments) =>
        JsonDocument.Parse(Invocation.Of(["attack", .. arguments, "--json", "--quiet"]).AssertDone().Output);

    private static byte[] Png(ReadOnlySpan<byte> planes)
    {
        const int side = 32;
        const int plane = side * side;
        using var bitmap = new SKBitmap(side, side, SKColorType.Rgba8888, SKAlphaType.Opaque);
        for (var pixel = 0; pixel < plane; pixel++)
        {
            bitmap.SetPixel(pixel % side, pixel / side, new(planes[pixel], planes[plane + pixel], planes[(2 * plane) + pixel]));
        }

        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }
}
