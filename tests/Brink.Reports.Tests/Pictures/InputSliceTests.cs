using System.Globalization;
using System.Xml.Linq;
using Brink.Data;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Runs;
using Brink.Models;
using Brink.Reports.Pictures;
using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Reports.Tests.Pictures;

public sealed class InputSliceTests : IDisposable
{
    private const int Index = 7;

    private readonly LoadedModel _network = ModelCatalog.Load(SampleNetwork.Name, null);
    private readonly ImageSet _images = DataCatalog.Open("signs", skip: Index, limit: 1);

    public void Dispose() => _network.Dispose();

    [Fact]
    public void A_path_starts_at_the_image_and_has_one_point_per_step()
    {
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var path = Record("tr[refine=0]");
        using (var image = _images.Images(0, 1))
        {
            Assert.Equal(image.data<float>().ToArray(), path.Points[0]);
        }

        Assert.Equal(path.Result.Iterations + 1, path.Points.Count);
        Assert.Equal(path.End, path.Points[^1]);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    [Trait("speed", "slow")]
    public void Recording_an_attack_does_not_change_it()
    {
        using var scope = NewDisposeScope();
        var model = new OpenedModel(_network, InputSpace.Pixel);
        var attack = AttackCatalog.Create("tr").Attack;
        using var alone = attack.Run(model.Classifier, _images.Images(0, 1), _images.Labels(0, 1), indices: [Index]);
        var path = Record("tr");
        Assert.Equal(alone.Outcomes[0], path.Result);
        Assert.Equal(alone.Adversarial.data<float>().ToArray(), path.End);
    }

    [Fact]
    public void The_plane_contains_both_ends_and_its_directions_are_orthogonal()
    {
        AttackPath[] paths = [Record("deepfool"), Record("tr")];
        var plane = SlicePlane.Through(paths, seed: 0);
        const double rounding = 1e-5;
        foreach (var (x, y) in new[] { (0.1, 0.0), (0.0, 0.1), (0.05, -0.07) })
        {
            var (left, up, away) = plane.Project(plane.At(x, y));
            Assert.Equal(x, left, rounding);
            Assert.Equal(y, up, rounding);
            Assert.InRange(away, 0, rounding);
        }

        var nearest = paths.MinBy(path => path.Result.L2)!;
        var end = plane.Project(nearest.End);
        Assert.Equal(nearest.Result.L2, end.X, rounding);
        Assert.Equal(0, end.Y, rounding);
        Assert.All(paths, path => Assert.InRange(plane.Project(path.End).Away, 0, 1e-3));
    }

    [Fact]
    public void A_single_straight_path_gets_a_random_direction_from_the_seed()
    {
        float[] image = [0.5f, 0.5f, 0.5f, 0.5f], end = [0.75f, 0.5f, 0.5f, 0.5f];
        var path = Record("deepfool") with { Points = [image, end], End = end };
        var (first, again, other) = (SlicePlane.Through([path], seed: 1), SlicePlane.Through([path], seed: 1), SlicePlane.Through([path], seed: 2));
        Assert.Equal(first.At(0, 1), again.At(0, 1));
        Assert.NotEqual(first.At(0, 1), other.At(0, 1));
        Assert.Equal(0.5f, first.At(0, 1)[0], 1e-6f);
        Assert.Equal(end, first.At(0.25, 0));
        Assert.Throws<BadInputException>(() => SlicePlane.Through([path with { Points = [image], End = image, Result = path.Result with { Exit = Brink.Attacks.AttackExit.ZeroGradient } }], seed: 0));
    }

    [Fact]
    public void The_map_has_the_prediction_of_the_model_at_every_grid_point()
    {
        // Two pixels; class 1 beyond the line x + 2y = 1.1.
        using var scope = NewDisposeScope();
        using var layer = nn.Linear(2, 2);
        using (no_grad())
        {
            layer.weight!.copy_(tensor(new[] { 0f, 0f, 1f, 2f }).reshape(2, 2));
            layer.bias!.copy_(tensor(new[] { 0f, -1.1f }));
        }

        using var network = new LoadedModel("line", nn.Sequential(nn.Flatten(), layer), 2, new Normalization([0], [1]));
        const double last = SliceMap.Side - 1;
        var map = SliceMap.Of(new OpenedModel(network, InputSpace.Pixel), [1, 1, 2], (row, column) => [(float)(column / last), (float)(row / last)], CPU, CancellationToken.None);
        var wrong = 0;
        for (var row = 0; row < SliceMap.Side; row++)
        {
            for (var column = 0; column < SliceMap.Side; column++)
            {
                var value = (column / last) + (2 * row / last) - 1.1;
                wrong += Math.Abs(value) > 1e-6 && map[row, column] != (value > 0 ? 1 : 0) ? 1 : 0;
            }
        }

        Assert.Equal(0, wrong);
    }

    [Fact]
    [Trait("speed", "slow")]
    public void The_picture_names_attacks_and_classes_in_every_culture()
    {
        var slice = InputSlice.Of([Record("deepfool"), Record("tr")], new OpenedModel(_network, InputSpace.Pixel), [3, 32, 32], _images.ClassNames, "a title");
        var svg = slice.ToSvg();
        var texts = XDocument.Parse(svg).Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value.Trim()).ToArray();
        Assert.Contains("a title", texts, StringComparer.Ordinal);
        Assert.Contains(texts, text => text.StartsWith("deepfool: L2 0.", StringComparison.Ordinal));
        Assert.Contains($"{_images.ClassNames[(int)_images.Label(0)]}, the label", texts, StringComparer.Ordinal);
        Assert.Contains(_images.ClassNames[(int)Record("tr").Result.PredictionAfter], texts, StringComparer.Ordinal);
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("fa-IR");
            Assert.Equal(svg, slice.ToSvg());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private AttackPath Record(string specification)
    {
        using var scope = NewDisposeScope();
        return AttackPath.Record(specification, new OpenedModel(_network, InputSpace.Pixel), AttackCatalog.Create(specification), _images.Images(0, 1), _images.Labels(0, 1), Index);
    }
}
