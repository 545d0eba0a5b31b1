using Brink.Data;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Runs;
using Brink.Models;

namespace Brink.Evaluation.Tests.Runs;

public sealed class AttackLengthsTests : IDisposable
{
    private readonly LoadedModel _signs = ModelCatalog.Load("signs", null);
    private readonly ImageSet _images = DataCatalog.Open("signs", limit: 1);

    public void Dispose() => _signs.Dispose();

    [Theory]
    [InlineData("linf", InputSpace.Pixel)]
    [InlineData("l2", InputSpace.Pixel)]
    [InlineData("linf", InputSpace.Normalized)]
    [InlineData("l2", InputSpace.Normalized)]
    public void Lengths_up_to_the_width_of_the_input_space_are_accepted(string norm, InputSpace space)
    {
        var widths = _signs.Normalization.StandardDeviation.Select(deviation => space == InputSpace.Pixel ? 1 : 1 / deviation).ToArray();
        var width = norm == "linf" ? widths.Max() : Math.Sqrt(widths.Sum(channel => channel * channel) * _images.Width * _images.Height);
        foreach (var length in new[] { 0, 0.5 * width, 0.999 * width })
        {
            Check(norm, space, null, length);
            Check(norm, space, 0.0005 + length);
        }

        foreach (var length in new[] { width, 1.001 * width, 1e6 })
        {
            Assert.Contains("--at or --require", Assert.Throws<BadInputException>(() => Check(norm, space, null, length)).Message, StringComparison.Ordinal);
            Assert.Contains("epsilon of pgd", Assert.Throws<BadInputException>(() => Check(norm, space, length)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(8, "8/255")]
    [InlineData(255, "255/255")]
    [InlineData(300, "shorter")]
    public void Grey_levels_are_suggested_as_a_share(double length, string part) =>
        Assert.Contains(part, Assert.Throws<BadInputException>(() => Check("linf", InputSpace.Pixel, length)).Message, StringComparison.Ordinal);

    private void Check(string norm, InputSpace space, double? epsilon, params double[] lengths) =>
        AttackLengths.Check(new(_signs, space), _images, [AttackCatalog.Create(epsilon is null ? $"tr[norm={norm}]" : FormattableString.Invariant($"pgd[norm={norm},epsilon={epsilon}]"))], lengths);
}
