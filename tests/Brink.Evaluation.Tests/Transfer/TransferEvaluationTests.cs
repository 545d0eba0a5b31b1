using Brink.Data;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Evaluation.Transfer;
using Brink.Models;
using TorchSharp;

namespace Brink.Evaluation.Tests.Transfer;

[Trait("speed", "slow")]
public sealed class TransferEvaluationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly LoadedModel _model = ModelCatalog.Load("signs", null);
    private readonly ImageSet _images = DataCatalog.Open("signs", skip: 3, limit: 7);

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(InputSpace.Pixel)]
    [InlineData(InputSpace.Normalized)]
    public void A_saved_run_is_compared_like_the_run_in_memory(InputSpace space)
    {
        var images = Attack(space);
        using var saved = SavedRun.Read(_folder.Path);
        var read = saved.Compared("tr", "tr").Images;
        Assert.Equal(images.Select(image => ComparedImage.Of(image, saved.Summary.Norm)), read);
        Assert.Contains(read, image => image.Fooled);
        Assert.Contains(read, image => !image.Fooled);
    }

    [Fact]
    public void The_counts_do_not_depend_on_the_batch_size()
    {
        Attack(InputSpace.Normalized);
        using var saved = SavedRun.Read(_folder.Path);
        var whole = new TransferEvaluation(_model).Run(saved);
        Assert.Equal(whole, new TransferEvaluation(_model, batchSize: 2).Run(saved));
        Assert.Equal(saved.Fooled.Count(fooled => fooled), whole.FooledAtSource);
    }

    /// <summary>On the attacked model itself, every fooled image meets the criterion of its run; with a stricter criterion, fewer images of the same run do.</summary>
    [Fact]
    public void The_criterion_of_the_run_decides()
    {
        Attack(InputSpace.Normalized);
        var results = _folder["results.json"];
        var plain = File.ReadAllText(results);
        using (var saved = SavedRun.Read(_folder.Path))
        {
            var count = new TransferEvaluation(_model).Run(saved);
            Assert.Equal(count.FooledAtSource, count.Fooled);
        }

        File.WriteAllText(results, plain.Replace("\"options\": {", "\"options\": { \"confidence\": 0.99,", StringComparison.Ordinal));
        using (var saved = SavedRun.Read(_folder.Path))
        {
            var count = new TransferEvaluation(_model).Run(saved);
            Assert.InRange(count.Fooled, 0, count.FooledAtSource - 1);
        }

        File.WriteAllText(results, plain.Replace("\"criterion\": \"misclassified\"", "\"criterion\": \"custom\"", StringComparison.Ordinal));
        using (var saved = SavedRun.Read(_folder.Path))
        {
            Assert.Contains("not stored", Assert.Throws<BadInputException>(() => new TransferEvaluation(_model).Run(saved)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_evaluation_leaks_no_tensor_and_restores_the_mode_of_the_model()
    {
        Attack(InputSpace.Normalized);
        _model.Module.train();
        AssertNoTensorLeaks(() =>
        {
            using var saved = SavedRun.Read(_folder.Path);
            _ = saved.Compared("tr", "tr");
            _ = new TransferEvaluation(_model, batchSize: 2).Run(saved);
        });
        Assert.True(_model.Module.training);

        AssertNoTensorLeaks(() =>
        {
            using var cancelled = new CancellationTokenSource();
            cancelled.Cancel();
            using var saved = SavedRun.Read(_folder.Path);
            Assert.Throws<OperationCanceledException>(() => new TransferEvaluation(_model).Run(saved, cancelled.Token));
        });
        Assert.True(_model.Module.training);

        var results = _folder["results.json"];
        File.WriteAllText(results, File.ReadAllText(results).Replace("\"space\": \"normalized\"", "\"space\": \"pixel\"", StringComparison.Ordinal));
        AssertNoTensorLeaks(() => Assert.Throws<BadInputException>(() => SavedRun.Read(_folder.Path)));
    }

    [Fact]
    public void Warming_up_leaks_no_tensor_and_leaves_no_gradient()
    {
        var evaluation = new AttackEvaluation(new(_model, InputSpace.Normalized), AttackCatalog.Create("tr").Attack, batchSize: 2);
        evaluation.WarmUp(_images);
        AssertNoTensorLeaks(() => evaluation.WarmUp(_images));
        Assert.All(_model.Module.parameters(), parameter => Assert.Null(parameter.grad));
    }

    private static void AssertNoTensorLeaks(Action action)
    {
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        action();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    /// <summary>Writes a run with fooled images and images that are not fooled.</summary>
    private IReadOnlyList<EvaluatedImage> Attack(InputSpace space)
    {
        var configured = AttackCatalog.Create("deepfool[max-iterations=2]");
        using var result = new AttackEvaluation(new(_model, space), configured.Attack, batchSize: 3).Run(_images);
        var summary = AttackSummary.Of(
            new()
            {
                Attack = "deepfool",
                Norm = "l2",
                Space = space == InputSpace.Pixel ? "pixel" : "normalized",
                Target = "best",
                Criterion = "misclassified",
                Model = "signs",
                Data = "signs",
                Seed = 0,
                Options = new Dictionary<string, object>(StringComparer.Ordinal) { ["mean"] = _model.Normalization.Mean, ["std"] = _model.Normalization.StandardDeviation },
            },
            result);
        ResultFolder.Write(_folder.Path, summary, result);
        return result.Images;
    }
}
