namespace Brink.Data;

/// <summary>A soft-edged ellipse of one colour: a leaf, a window, a cloud, a car.</summary>
internal readonly record struct Blob(double X, double Y, double HalfWidth, double HalfHeight, Color Color)
{
    /// <summary>What is seen at the point where the picture without the blob would show <paramref name="behind"/>.</summary>
    public Color Over(Color behind, double x, double y)
    {
        var (right, down) = ((x - X) / HalfWidth, (y - Y) / HalfHeight);
        var squaredDistance = (right * right) + (down * down);
        // Opaque to 0.6 of the half width, then fading out to the rim.
        return squaredDistance >= 1 ? behind : behind.Toward(Color, Math.Min(1, (1 - squaredDistance) / .64));
    }
}
