namespace Brink.Attacks;

/// <summary>Checks of settings that several attacks share; the error messages name the setting.</summary>
internal static class SettingCheck
{
    /// <summary>Checks that a norm is L2 or L∞.</summary>
    /// <param name="attack">The name of the attack, as the message begins.</param>
    /// <param name="norm">The norm.</param>
    /// <exception cref="BadInputException">The norm is neither L2 nor L∞.</exception>
    public static void L2OrLInf(string attack, Norm norm)
    {
        if (norm != Norm.L2 && norm != Norm.LInf)
        {
            throw new BadInputException($"{attack} supports the norms l2 and linf, but {norm} was given.");
        }
    }

    /// <summary>Checks that a norm is L2.</summary>
    /// <param name="attack">The name of the attack, as the message begins.</param>
    /// <param name="norm">The norm.</param>
    /// <exception cref="BadInputException">The norm is not L2.</exception>
    public static void L2(string attack, Norm norm)
    {
        if (norm != Norm.L2)
        {
            throw new BadInputException($"{attack} supports the norm l2 only, but {norm} was given.");
        }
    }

    /// <summary>Checks that a count is at least 1.</summary>
    /// <param name="name">The plural noun of what is counted.</param>
    /// <param name="value">The count.</param>
    /// <exception cref="BadInputException">The count is below 1.</exception>
    public static void AtLeastOne(string name, int value)
    {
        if (value < 1)
        {
            throw new BadInputException($"The number of {name} must be at least 1, but {value} was given.");
        }
    }

    /// <summary>Checks that a number is finite and not negative.</summary>
    /// <param name="name">The name of the setting.</param>
    /// <param name="value">The number.</param>
    /// <exception cref="BadInputException">The number is negative or not finite.</exception>
    public static void NotNegative(string name, double value)
    {
        if (!double.IsFinite(value) || value < 0)
        {
            throw new BadInputException(FormattableString.Invariant($"The {name} must be a number of at least 0, but {value} was given."));
        }
    }

    /// <summary>Checks that a number is finite and positive.</summary>
    /// <param name="name">The name of the setting.</param>
    /// <param name="value">The number.</param>
    /// <exception cref="BadInputException">The number is not positive or not finite.</exception>
    public static void Positive(string name, double value)
    {
        if (!double.IsFinite(value) || value <= 0)
        {
            throw new BadInputException(FormattableString.Invariant($"The {name} must be a positive number, but {value} was given."));
        }
    }
}
