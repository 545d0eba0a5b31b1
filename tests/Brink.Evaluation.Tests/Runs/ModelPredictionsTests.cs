using Brink.Data;
using Brink.Evaluation.Runs;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Evaluation.Tests.Runs;

public sealed class CorrectImagesTests : IDisposable
{
    private readonly LoadedModel _model = ModelCatalog.Load("signs", null);
    private readonly ImageSet _images = DataCatalog.Open("signs", skip: 5, limit: 60);

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(40)]
    public void The_images_end_at_the_last_requested_correct_one(int correct)
    {
        var until = CorrectImages.Until(Model(), _images, correct, batchSize: 8);
        var matches = Correct(until);
        Assert.Equal(correct, matches.Count(flag => flag));
        Assert.True(matches[^1]);
        Assert.Equal(5, until.FirstIndex);
    }

    [Fact]
    public void All_images_are_returned_if_fewer_are_correct()
    {
        Assert.Contains(false, Correct(_images));
        Assert.Equal(_images.Count, CorrectImages.Until(Model(), _images, 60, batchSize: 8).Count);
    }

    private OpenedModel Model() => new(_model, InputSpace.Normalized);

    private bool[] Correct(ImageSet images)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        return _model.Module.forward(_model.Normalization.Apply(images.Images(0, images.Count))).argmax(1).eq(images.Labels(0, images.Count)).data<bool>().ToArray();
    }
}

public sealed class PredictedLabelsTests
{
    [Fact]
    public void A_cancelled_classification_throws()
    {
        using var model = ModelCatalog.Load("signs", null);
        var images = DataCatalog.Open("signs", limit: 6);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => PredictedLabels.Of(new(model, InputSpace.Pixel), images, batchSize: 2, cancellationToken: cancelled.Token));
    }

    [Fact]
    public void Images_without_a_prediction_are_refused_by_their_index_and_a_masked_class_is_a_value()
    {
        using var signs = ModelCatalog.Load("signs", null);
        var images = DataCatalog.Open("signs", skip: 3, limit: 6);
        using var broken = new Filled(signs.Module, "broken", float.NaN);
        Assert.Contains("none for 6 of 6 images, first for image 3", Assert.Throws<BadInputException>(() => Labels(broken)).Message, StringComparison.Ordinal);
        using var masked = new Filled(signs.Module, "masked", float.NegativeInfinity);
        Assert.All(Enumerable.Range(0, 6), index => Assert.InRange(Labels(masked).Label(index), 1, 9));

        ImageSet Labels(Filled network) => PredictedLabels.Of(new(new LoadedModel(network.GetName(), network, 10, signs.Normalization), InputSpace.Pixel), images, batchSize: 4);
    }

    /// <summary>The sample model with a constant as the logit of the first class.</summary>
    private sealed class Filled(nn.Module<Tensor, Tensor> sound, string name, float value) : nn.Module<Tensor, Tensor>(name)
    {
        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            return cat([full([input.shape[0], 1], value), sound.forward(input)[.., 1..]], 1).MoveToOuterDisposeScope();
        }
    }
}
