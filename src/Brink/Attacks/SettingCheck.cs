namespace Brink.Attacks;

/// <summary>Refuses settings that no attack can work with, by name.</summary>
internal static class SettingCheck
{
    /// <exception cref="BadInputException">The norm is neither L2 nor L∞.</exception>
    public static void L2OrLInf(string attack, Norm norm)
    {
        if (norm != Norm.L2 && norm != Norm.LInf)
        {
            throw new BadInputException($"{attack} keeps l2 or linf small, but {norm} was given.");
        }
    }

    /// <exception cref="BadInputException">The norm is not L2.</exception>
    public static void L2(string attack, Norm norm)
    {
        if (norm != Norm.L2)
        {
            throw new BadInputException($"{attack} keeps l2 small, but {norm} was given.");
        }
    }

    /// <exception cref="BadInputException">The count is below 1.</exception>
    public static void AtLeastOne(string name, int value)
    {
        if (value < 1)
        {
            throw new BadInputException($"The number of {name} must be at least 1, but {value} was given.");
        }
    }

    /// <exception cref="BadInputException">The number is negative or not finite.</exception>
    public static void NotNegative(string name, double value)
    {
        if (!double.IsFinite(value) || value < 0)
        {
            throw new BadInputException(FormattableString.Invariant($"The {name} must be a number of at least 0, but {value} was given."));
        }
    }

    /// <exception cref="BadInputException">The number is not positive or not finite.</exception>
    public static void Positive(string name, double value)
    {
        if (!double.IsFinite(value) || value <= 0)
        {
            throw new BadInputException(FormattableString.Invariant($"The {name} must be a positive number, but {value} was given."));
        }
    }
}
