using System.Globalization;

namespace Brink.Evaluation.Catalog;

/// <summary>How a user writes a real number: 0.05, 5e-2, or a fraction such as 4/255. Alike in every culture.</summary>
public static class RealNumber
{
    /// <summary>Reads one.</summary>
    /// <param name="text">As the user wrote it.</param>
    /// <param name="number">The number, finite; 0 where it is none.</param>
    /// <returns>Whether it is a number.</returns>
    public static bool TryParse(string text, out double number)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split('/').Select(part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : double.NaN).ToArray();
        number = parts is [var numerator, var denominator] ? numerator / denominator : parts is [var single] ? single : double.NaN;
        if (double.IsFinite(number))
        {
            return true;
        }

        number = 0;
        return false;
    }
}
