using Brink.Data;
using Brink.Evaluation.Runs;
using Brink.Models;
using SkiaSharp;

namespace Brink.Evaluation.Tests.Runs;

public sealed class ClassLabelsTests : IDisposable
{
    private readonly LoadedModel _signs = ModelCatalog.Load("signs", null);
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _signs.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Ten_folders_for_ten_classes_cause_no_warning() => Assert.Empty(Match([.. Enumerable.Range(0, 10).Select(number => $"{(char)('a' + number)}")]).Warnings);

    [Fact]
    public void Data_sets_with_labels_of_their_own_cause_no_warning() => Assert.Empty(ClassLabels.Match(DataCatalog.Open("signs", limit: 1), _signs).Warnings);

    [Theory]
    [InlineData(11)]
    [InlineData(30)]
    public void More_folders_than_classes_are_refused(int count)
    {
        var message = Refused([.. Enumerable.Range(0, count).Select(number => FormattableString.Invariant($"class {number:D2}"))]);
        Assert.All([$"{count} class folders", "10 classes", "'class 10'"], part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    [Fact]
    public void More_numbered_folders_than_classes_are_refused() => Assert.Contains("12 class folders", Refused([.. Enumerable.Range(0, 12).Select(number => $"{number}")]), StringComparison.Ordinal);

    [Fact]
    public void Folders_without_images_are_named_in_a_refusal()
    {
        Directory.CreateDirectory(_folder["annotations"]);
        Assert.Contains("(without images: annotations)", Refused([.. Enumerable.Range(0, 10).Select(number => $"class {number}")]), StringComparison.Ordinal);
    }

    [Fact]
    public void Fewer_folders_than_classes_cause_a_warning()
    {
        var (images, warnings) = Match("cat", "dog");
        Assert.All(["2 class folders", "10 classes", "empty folder"], part => Assert.Contains(part, Assert.Single(warnings), StringComparison.Ordinal));
        Assert.Equal([0L, 1], Labels(images));
    }

    [Fact]
    public void Names_that_are_classes_of_the_model_are_the_labels()
    {
        var (images, warnings) = Match("7", "03");
        Assert.Contains("03, 7", Assert.Single(warnings), StringComparison.Ordinal);
        Assert.Equal([3L, 7], Labels(images));
        Assert.Equal(["0", "1", "2", "03", "4", "5", "6", "7", "8", "9"], images.ClassNames);
    }

    [Fact]
    public void Numbers_from_1_to_the_number_of_classes_are_taken_in_order()
    {
        var (images, warnings) = Match([.. Enumerable.Range(1, 10).Select(number => $"{number}")]);
        Assert.Empty(warnings);
        Assert.Equal(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"], images.ClassNames);
        // The images are in the order of their paths: 1, 10, 2 and so on.
        Assert.Equal([0L, 9, 1, 2, 3, 4, 5, 6, 7, 8], Labels(images));
    }

    [Fact]
    public void A_label_that_is_no_class_is_refused_with_its_image()
    {
        var names = Enumerable.Range(0, 12).Select(number => $"name {number}").ToArray();
        var images = new ImageSet("set", names, 1, 1, 1, new byte[3], new long[] { 0, 9, 11 });
        Assert.All(["image 2", "label 11", "name 11", "0 to 9"], part => Assert.Contains(part, Assert.Throws<BadInputException>(() => ClassLabels.Match(images, _signs)).Message, StringComparison.Ordinal));
    }

    private static long[] Labels(ImageSet images) => [.. Enumerable.Range(0, images.Count).Select(images.Label)];

    private string Refused(string[] folders) => Assert.Throws<BadInputException>(() => Match(folders)).Message;

    private (ImageSet Images, IReadOnlyList<string> Warnings) Match(params string[] folders)
    {
        using var bitmap = new SKBitmap(2, 2, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        foreach (var folder in folders)
        {
            Directory.CreateDirectory(_folder[folder]);
            File.WriteAllBytes(Path.Combine(_folder[folder], "1.png"), png.ToArray());
        }

        return ClassLabels.Match(ImageFolder.Read(_folder.Path), _signs);
    }
}
