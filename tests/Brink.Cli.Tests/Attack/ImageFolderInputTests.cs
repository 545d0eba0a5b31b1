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
        WriteSigns(folder["signs"], label => $"{label}");
        File.WriteAllBytes(Path.Combine(folder["signs"], "9", "bad.png"), [1, 2, 3]);
        using var plain = Run("--data", "signs", "--limit", "30");
        using var pictures = Run("--model", "signs", "--data", $"images:{folder["signs"]}");
        foreach (var key in new[] { "images", "misclassified", "attacked", "fooled" })
        {
            Assert.Equal(plain.RootElement.GetProperty(key).GetInt32(), pictures.RootElement.GetProperty(key).GetInt32());
        }

        // The order of the images and therefore the batches differ.
        Assert.Equal(Median(plain), Median(pictures), Median(plain) * 0.01);
        var warnings = Warnings(pictures);
        Assert.Equal(2, warnings.Length);
        Assert.Contains("9/bad.png", warnings[0], StringComparison.Ordinal);
        Assert.Contains("numeric order", warnings[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Too_many_class_folders_are_refused_before_the_first_pass()
    {
        using var folder = new TemporaryFolder();
        WriteSigns(folder["signs"], label => $"{(char)('a' + label)}");
        Directory.CreateDirectory(Path.Combine(folder["signs"], "z"));
        foreach (var verb in new[] { "attack", "compare" })
        {
            Assert.Contains("11 class folders", Invocation.Of(verb, "--model", "signs", "--data", $"images:{folder["signs"]}", "--batch-size", "4", "--out", folder[verb], "--quiet").AssertRefused(), StringComparison.Ordinal);
            Assert.False(Directory.Exists(folder[verb]));
        }
    }

    [Fact]
    public void A_missing_class_folder_and_an_empty_one_are_named()
    {
        using var folder = new TemporaryFolder();
        WriteSigns(folder["signs"], label => $"{(char)('a' + label)}");
        var removed = Path.Combine(folder["signs"], "c");
        Directory.Delete(removed, recursive: true);
        using var missing = Run("--model", "signs", "--data", $"images:{folder["signs"]}");
        Assert.Contains(Warnings(missing), warning => warning.Contains("9 class folders", StringComparison.Ordinal));
        Directory.CreateDirectory(removed);
        using var empty = Run("--model", "signs", "--data", $"images:{folder["signs"]}");
        Assert.Contains(": c;", Assert.Single(Warnings(empty)), StringComparison.Ordinal);
        Assert.True(empty.RootElement.GetProperty("misclassified").GetInt32() < missing.RootElement.GetProperty("misclassified").GetInt32());
    }

    [Fact]
    public void An_image_folder_needs_a_path() =>
        Assert.Contains("images:PATH", Invocation.Of("attack", "--model", "signs", "--data", "images").AssertRefused(), StringComparison.Ordinal);

    private static void WriteSigns(string folder, Func<long, string> name)
    {
        var signs = TrafficSigns.Generate(TrafficSigns.TestSeed, 30);
        for (var index = 0; index < signs.Count; index++)
        {
            var path = Path.Combine(folder, name(signs.Label(index)), $"{index:D3}.png");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, Png(signs.Pixels(index)));
        }
    }

    private static string[] Warnings(JsonDocument results) => [.. results.RootElement.GetProperty("warnings").EnumerateArray().Select(warning => warning.GetString()!)];

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
