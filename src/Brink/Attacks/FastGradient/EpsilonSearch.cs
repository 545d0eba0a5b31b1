namespace Brink.Attacks;

/// <summary>The search for one image's smallest ε: double until it is fooled, then halve the interval.</summary>
internal sealed class EpsilonSearch
{
    // Below this share of the box no float32 image changes.
    private const double Smallest = 1e-7;

    private readonly double _largest;
    private readonly double _tolerance;
    private double _failed;
    private double _fooled = double.PositiveInfinity;

    /// <summary>Starts.</summary>
    /// <param name="guess">The first ε.</param>
    /// <param name="largest">Beyond which the bounds leave nothing to reach.</param>
    /// <param name="tolerance">How narrow the interval becomes, as a share of its upper end.</param>
    public EpsilonSearch(double guess, double largest, double tolerance)
    {
        (_largest, _tolerance) = (largest, tolerance);
        Radius = Math.Clamp(guess, largest * Smallest, largest);
    }

    /// <summary>The ε to try next.</summary>
    public double Radius { get; private set; }

    /// <summary>The steps taken so far.</summary>
    public int Steps { get; private set; }

    /// <summary>Whether the last try is the shortest that fooled.</summary>
    public bool IsNearest { get; private set; }

    /// <summary>How the search ended; null while it goes on.</summary>
    public AttackExit? Exit { get; private set; }

    /// <summary>Takes in the outcome of a try.</summary>
    /// <param name="fooled">Whether it fooled.</param>
    /// <param name="length">The length of its perturbation, at most <see cref="Radius"/>.</param>
    /// <param name="isFinite">Whether all logits were finite.</param>
    /// <param name="steps">The steps it took.</param>
    public void Note(bool fooled, double length, bool isFinite, int steps)
    {
        Steps += steps;
        IsNearest = fooled && length < _fooled;
        if (IsNearest)
        {
            _fooled = length;
            // A ball that failed may hold the point, which a larger one led to: what failed says nothing about shorter ones then.
            _failed = _failed < length ? _failed : 0;
        }
        else if (!fooled)
        {
            _failed = Radius;
        }

        var isFound = double.IsFinite(_fooled);
        // A smaller ε that rounds to the same point: nothing is left between.
        var isExhausted = fooled && !IsNearest;
        Exit = !isFound && !isFinite ? AttackExit.NotFinite
            : isFound && (!isFinite || isExhausted || _fooled - _failed <= _tolerance * _fooled) ? AttackExit.Fooled
            : !isFound && Radius >= _largest ? AttackExit.IterationLimit
            : null;
        Radius = isFound ? (_failed + _fooled) / 2 : Math.Min(Radius * 2, _largest);
    }
}
