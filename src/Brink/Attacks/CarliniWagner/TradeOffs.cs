namespace Brink.Attacks;

/// <summary>The binary search over the trade-off constant c, one for each image: the smallest c whose minimum fools.</summary>
/// <remarks>Carlini and Wagner (2017), §V.A; the authors' program multiplies by ten until an image is fooled, then halves the interval.</remarks>
internal sealed class TradeOffs
{
    private const double Growth = 10;

    private readonly double[] _lower;
    private readonly double[] _upper;

    public TradeOffs(int count, double initial)
    {
        Constants = [.. Enumerable.Repeat(initial, count)];
        _lower = new double[count];
        _upper = [.. Enumerable.Repeat(double.PositiveInfinity, count)];
    }

    /// <summary>c of each image.</summary>
    public double[] Constants { get; }

    /// <summary>Narrows an image's interval by whether it was fooled with its constant, and moves on to the next.</summary>
    public void Update(int position, bool fooled)
    {
        var tried = Constants[position];
        if (fooled)
        {
            _upper[position] = Math.Min(_upper[position], tried);
        }
        else
        {
            _lower[position] = Math.Max(_lower[position], tried);
        }

        Constants[position] = double.IsFinite(_upper[position]) ? (_lower[position] + _upper[position]) / 2 : tried * Growth;
    }
}
