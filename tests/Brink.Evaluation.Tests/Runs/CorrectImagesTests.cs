using Brink.Data;
using Brink.Evaluation.Runs;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Evaluation.Tests.Runs;

public sealed class CorrectImagesTests : IDisposable
{
    private readonly LoadedModel _network = ModelCatalog.Load("signs", null);
    private readonly ImageSet _images = DataCatalog.Open("signs", skip: 5, limit: 60);

    public void Dispose() => _network.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(40)]
    public void The_images_end_at_the_last_correct_one_that_was_asked_for(int correct)
    {
        var until = CorrectImages.Until(Model(), _images, correct, batchSize: 8);
        var right = Right(until);
        Assert.Equal(correct, right.Count(flag => flag));
        Assert.True(right[^1]);
        Assert.Equal(5, until.FirstIndex);
    }

    [Fact]
    public void Where_there_are_fewer_all_images_are_taken()
    {
        Assert.Contains(false, Right(_images));
        Assert.Equal(_images.Count, CorrectImages.Until(Model(), _images, 60, batchSize: 8).Count);
    }

    private OpenedModel Model() => new(_network, InputSpace.Normalized);

    private bool[] Right(ImageSet images)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        return _network.Module.forward(_network.Normalization.Apply(images.Images(0, images.Count))).argmax(1).eq(images.Labels(0, images.Count)).data<bool>().ToArray();
    }
}
