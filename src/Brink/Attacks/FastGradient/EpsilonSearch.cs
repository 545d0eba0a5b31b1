namespace Brink.Attacks;

/// <summary>The search for the smallest ε with which one image is fooled: doubles ε until the image is fooled, then halves the interval.</summary>
internal sealed class EpsilonSearch
{
    // As a share of the width of the bounds. A shorter perturbation changes no entry of a float32 image.
    private const double Smallest = 1e-7;

    private readonly double _largest;
    private readonly double _tolerance;
    private double _failed;
    private double _fooled = double.PositiveInfinity;

    /// <summary>Initializes the search.</summary>
    /// <param name="guess">The first ε.</param>
    /// <param name="largest">The largest ε: the width of the bounds, which no perturbation exceeds.</param>
    /// <param name="tolerance">The width of the interval at which the search ends, as a share of its upper end.</param>
    public EpsilonSearch(double guess, double largest, double tolerance)
    {
        (_largest, _tolerance) = (largest, tolerance);
        Radius = Math.Clamp(guess, largest * Smallest, largest);
    }

    /// <summary>The next ε to try.</summary>
    public double Radius { get; private set; }

    /// <summary>The number of steps of all tries so far.</summary>
    public int Steps { get; private set; }

    /// <summary>Indicates whether the last try found the shortest adversarial perturbation so far.</summary>
    public bool IsNearest { get; private set; }

    /// <summary>The exit reason; null while the search is not finished.</summary>
    public AttackExit? Exit { get; private set; }

    /// <summary>Records the result of a try and chooses the next ε.</summary>
    /// <param name="fooled">True if the image was fooled.</param>
    /// <param name="length">The length of the perturbation, at most <see cref="Radius"/>.</param>
    /// <param name="isFinite">True if all logits were finite.</param>
    /// <param name="steps">The number of steps of the try.</param>
    public void Record(bool fooled, double length, bool isFinite, int steps)
    {
        Steps += steps;
        IsNearest = fooled && length < _fooled;
        if (IsNearest)
        {
            _fooled = length;
            // The ascent in a larger ball may find a point inside a ball that failed. Then the failure says nothing about shorter perturbations.
            _failed = _failed < length ? _failed : 0;
        }
        else if (!fooled)
        {
            _failed = Radius;
        }

        var isFound = double.IsFinite(_fooled);
        // A smaller ε that leads to the same point by rounding cannot be improved further.
        var isExhausted = fooled && !IsNearest;
        Exit = !isFound && !isFinite ? AttackExit.NotFinite
            : isFound && (!isFinite || isExhausted || _fooled - _failed <= _tolerance * _fooled) ? AttackExit.Fooled
            : !isFound && Radius >= _largest ? AttackExit.IterationLimit
            : null;
        Radius = isFound ? (_failed + _fooled) / 2 : Math.Min(Radius * 2, _largest);
    }
}
