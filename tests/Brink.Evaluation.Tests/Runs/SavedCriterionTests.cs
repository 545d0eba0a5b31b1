using Brink.Data;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Evaluation.Tests.Runs;

/// <summary>Checks that a saved run can be asked again whether its images meet the criterion.</summary>
[Trait("speed", "slow")]
public sealed class SavedCriterionTests : IDisposable
{
    private const int First = 3;
    private const int Count = 12;

    private readonly TemporaryFolder _folder = new();
    private readonly LoadedModel _model = ModelCatalog.Load("signs", null);
    private readonly ImageSet _images = DataCatalog.Open("signs", skip: First, limit: Count);

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("tr", "", 0)]
    [InlineData("tr", "", 0.9)]
    [InlineData("tr[norm=linf]", "2", 0)]
    [InlineData("deepfool", "per-image", 0)]
    [InlineData("cw[max-iterations=100,binary-search-steps=3]", "per-image", 0.9)]
    [InlineData("tr", "per-image", 0.9)]
    [InlineData("tr[norm=linf]", "per-image", 0)]
    [InlineData("tr[norm=linf]", "", 0.9)]
    [InlineData("deepfool", "", 0.9)]
    public void The_fooled_images_of_a_saved_run_meet_its_criterion_and_the_originals_do_not(string attack, string target, double confidence)
    {
        var file = Path.Combine(_folder.Path, "targets.csv");
        File.WriteAllLines(file, Enumerable.Range(0, Count).Select(row => FormattableString.Invariant($"{First + row},{(_images.Label(row) + 1 + (row % 3)) % _images.ClassNames.Count}")));
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        if (target.Length > 0)
        {
            settings["target"] = target == "per-image" ? file : target;
        }

        if (confidence > 0)
        {
            settings["confidence"] = confidence.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        var configured = AttackCatalog.Create(attack, settings);
        var model = new OpenedModel(_model, InputSpace.Pixel);
        Write(configured, new AttackEvaluation(model, configured.Attack, criterion: configured.Criterion));

        using var saved = SavedRun.Read(Folder);
        int[] fooled = [.. Enumerable.Range(0, Count).Where(row => saved.Fooled[row])];
        Assert.InRange(fooled.Length, 6, Count);
        using var scope = NewDisposeScope();
        var rows = tensor(fooled.Select(row => (long)row).ToArray());
        Assert.All(saved.Fools(fooled, model.Logits(saved.AdversarialPixels(rows))), Assert.True);
        Assert.All(saved.Fools(fooled, model.Logits(saved.OriginalPixels(rows))), Assert.False);
        var probabilities = model.Logits(saved.AdversarialPixels(rows)).softmax(1).amax([1]);
        Assert.All(probabilities.data<float>().ToArray(), probability => Assert.True(probability > confidence));
    }

    [Fact]
    public void A_criterion_of_ones_own_is_named_custom_and_cannot_be_asked_again()
    {
        var model = new OpenedModel(_model, InputSpace.Pixel);
        var criterion = new LargeSum();
        var configured = AttackCatalog.Create("tr[max-iterations=5]") with { Criterion = criterion };
        Write(configured, new AttackEvaluation(model, configured.Attack, criterion: criterion));
        using var saved = SavedRun.Read(Folder);
        Assert.Equal("custom", saved.Summary.Criterion);
        Assert.Null(saved.Criterion);
        using var scope = NewDisposeScope();
        Assert.Contains("not stored", Assert.Throws<BadInputException>(() => saved.Fools([0], model.Logits(saved.AdversarialPixels(tensor(new long[] { 0 }))))).Message, StringComparison.Ordinal);
    }

    private string Folder => Path.Combine(_folder.Path, "run");

    private void Write(ConfiguredAttack attack, AttackEvaluation evaluation)
    {
        var all = new Dictionary<string, object>(attack.Options, StringComparer.Ordinal) { ["mean"] = _model.Normalization.Mean, ["std"] = _model.Normalization.StandardDeviation };
        var run = new RunDescription { Attack = attack.Attack.Name, Norm = attack.Attack.Norm.Name, Space = "pixel", Target = attack.Target, Criterion = attack.Criterion.Name, Model = "signs", Data = "signs", Seed = 0, Options = all };
        var folder = RunFolder.Open(Folder, run, _model, _images, resume: false);
        using var result = evaluation.Run(_images, folder: folder);
        folder.Write(AttackSummary.Of(run, result), result);
    }

    private sealed class LargeSum : Criterion
    {
        public override Tensor Margins(Tensor logits, Tensor labels, Tensor indices) => logits.sum(1).sub(1000);
    }
}
