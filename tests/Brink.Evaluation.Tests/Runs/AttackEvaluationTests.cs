using Brink.Attacks;
using Brink.Data;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Evaluation.Tests.Runs;

[Trait("speed", "slow")]
public sealed class AttackEvaluationTests : IDisposable
{
    private const int BatchSize = 4;
    private const int Count = 10;

    private readonly LoadedModel _model = ModelCatalog.Load("signs", null);
    private readonly ImageSet _images = DataCatalog.Open("signs", skip: 3, limit: Count);

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Images_have_the_order_and_the_index_of_the_data_set()
    {
        using var result = Run();
        Assert.True(result.IsComplete);
        Assert.Equal(Enumerable.Range(3, Count), result.Images.Select(image => image.Index));
        Assert.Equal(Enumerable.Range(0, Count).Select(_images.Label), result.Images.Select(image => image.Outcome.Label));
        Assert.Equal([4, 4, 2], result.Ranges.Select(range => range.Images.Count));
    }

    /// <summary>In the normalised space the network receives the images without a copy by the preprocessing.</summary>
    [Theory]
    [InlineData(InputSpace.Pixel)]
    [InlineData(InputSpace.Normalized)]
    public void A_network_that_changes_its_input_in_place_is_run_before_the_first_timed_attack(InputSpace space)
    {
        using var network = new InPlace(_model.Module);
        var evaluation = new AttackEvaluation(new OpenedModel(new LoadedModel("in place", network, _model.ClassCount, _model.Normalization), space), new TrustRegionAttack(), BatchSize);
        evaluation.WarmUp(_images);
        Assert.Equal(1, network.Passes);
    }

    [Fact]
    public void A_cancelled_run_returns_the_finished_ranges()
    {
        using var whole = Run();
        using var cancellation = new CancellationTokenSource();
        using var part = Run(new CallbackProgress<EvaluationProgress>(progress => { if (progress.Finished > BatchSize) { cancellation.Cancel(); } }), cancellation.Token);
        Assert.False(part.IsComplete);
        Assert.Equal(Count, part.Requested);
        Assert.Single(part.Ranges);
        Assert.Equal(whole.Images.Take(BatchSize), part.Images);
        Assert.True(whole.Ranges[0].Original.Equals(part.Ranges[0].Original));
        Assert.True(whole.Ranges[0].Adversarial.Equals(part.Ranges[0].Adversarial));
    }

    [Fact]
    public void A_failed_run_returns_the_ranges_that_finished_before()
    {
        var failing = new FailingAttack(AttackCatalog.Create("tr").Attack, healthyRuns: 2);
        using var result = new AttackEvaluation(new(_model, InputSpace.Pixel), failing, BatchSize).Run(_images);
        Assert.IsType<BadInputException>(result.Failure);
        Assert.Equal(2, result.Ranges.Count);
        Assert.False(result.IsComplete);
    }

    [Fact]
    public void A_failure_in_the_first_range_is_thrown() =>
        Assert.Throws<BadInputException>(() => new AttackEvaluation(new(_model, InputSpace.Pixel), new FailingAttack(AttackCatalog.Create("tr").Attack, healthyRuns: 0), BatchSize).Run(_images));

    [Fact]
    public void A_run_cancelled_before_the_first_range_returns_no_images()
    {
        using var result = Run(cancellationToken: new CancellationToken(canceled: true));
        Assert.Empty(result.Images);
        Assert.False(result.IsComplete);
    }

    [Fact]
    public void Progress_never_decreases_and_ends_at_the_number_of_images()
    {
        var finished = new List<int>();
        using var result = Run(new CallbackProgress<EvaluationProgress>(progress => finished.Add(progress.Finished)));
        Assert.Equal(finished.Order(), finished);
        Assert.All(finished, count => Assert.InRange(count, 0, Count));
        Assert.True(finished.Count > 2, "Progress is reported at least once per range.");
        Assert.Equal(Count, finished[^1]);
    }

    [Fact]
    public void Preprocessing_for_another_number_of_channels_is_refused_in_both_spaces()
    {
        using var model = ModelCatalog.Load("signs", null, new([0.5, 0.5], [0.5, 0.5]));
        Assert.All([InputSpace.Pixel, InputSpace.Normalized], space =>
        {
            var evaluation = new AttackEvaluation(new(model, space), AttackCatalog.Create("tr").Attack);
            Assert.Contains("images have 3 channels", Assert.Throws<BadInputException>(() => evaluation.Run(_images)).Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void A_batch_size_below_one_is_refused() =>
        Assert.Throws<BadInputException>(() => new AttackEvaluation(new(_model, InputSpace.Pixel), AttackCatalog.Create("tr").Attack, batchSize: 0));

    private EvaluationResult Run(IProgress<EvaluationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        // One thread, since threads of torch wait for each other on a busy machine. It is set here and not in the constructor, because
        // OpenMP stores the number per thread.
        TorchSharp.torch.set_num_threads(1);
        return new AttackEvaluation(new(_model, InputSpace.Pixel), AttackCatalog.Create("tr").Attack, BatchSize).Run(_images, progress, cancellationToken: cancellationToken);
    }

    private sealed class FailingAttack(IAttack inner, int healthyRuns) : IAttack
    {
        private int _runs;

        public string Name => inner.Name;

        public Norm Norm => inner.Norm;

        public AttackResult Run(IClassifier classifier, Tensor images, Tensor labels, Criterion? criterion = null, IReadOnlyList<long>? indices = null, int? maxPasses = null, IProgress<AttackProgress>? progress = null, CancellationToken cancellationToken = default) =>
            _runs++ < healthyRuns ? inner.Run(classifier, images, labels, criterion, indices, maxPasses, progress, cancellationToken) : throw new BadInputException("No more.");
    }

    private sealed class InPlace(nn.Module<Tensor, Tensor> inner) : nn.Module<Tensor, Tensor>("in place")
    {
        public int Passes { get; private set; }

        public override Tensor forward(Tensor input)
        {
            Passes++;
            return inner.call(input.mul_(1));
        }
    }
}
