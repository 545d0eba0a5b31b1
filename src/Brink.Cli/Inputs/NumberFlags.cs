using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using Brink.Evaluation.Catalog;

namespace Brink.Cli.Inputs;

/// <summary>A flag whose value is an integer. The parser of System.CommandLine depends on the culture and names .NET types in its errors.</summary>
internal static class WholeNumber
{
    /// <summary>Parses the value of a flag; adds an error to the argument if it is not an integer.</summary>
    /// <typeparam name="T">The type of the integer.</typeparam>
    /// <returns>The value, or null after an error.</returns>
    public static T? Parse<T>(ArgumentResult argument)
        where T : struct, IBinaryInteger<T>, IMinMaxValue<T>
    {
        var text = argument.Tokens[0].Value;
        if (T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        argument.AddError(string.Create(CultureInfo.InvariantCulture, $"The flag {((OptionResult)argument.Parent!).Option.Name} takes a whole number of at most {T.MaxValue}, but '{text}' was given."));
        return null;
    }
}

/// <summary>A flag whose value is a number or a fraction such as 4/255, parsed independently of the culture.</summary>
internal static class RealNumberFlag
{
    /// <summary>Parses the value of a flag; adds an error to the argument if it is not a number.</summary>
    /// <returns>The value, or null after an error.</returns>
    public static double? Parse(ArgumentResult argument)
    {
        var text = argument.Tokens[0].Value;
        if (RealNumber.TryParse(text, out var value))
        {
            return value;
        }

        argument.AddError($"The flag {((OptionResult)argument.Parent!).Option.Name} takes a number such as 0.05 or 4/255, but '{text}' was given.");
        return null;
    }
}

/// <summary>A flag whose value is a size of memory.</summary>
internal static class MemorySize
{
    /// <summary>Parses a size such as <c>4G</c>, <c>1.5GB</c> or <c>500M</c>, in units of 1024; adds an error to the argument if it is not a positive size.</summary>
    /// <returns>The number of bytes, or null after an error.</returns>
    public static long? Parse(ArgumentResult argument)
    {
        var text = argument.Tokens[0].Value;
        var number = text.ToUpperInvariant().TrimEnd('B').TrimEnd('I');
        var power = number.Length > 0 ? "KMGT".IndexOf(number[^1], StringComparison.Ordinal) + 1 : 0;
        // A number without a unit would be one of bytes, and no run fits in so few.
        if (power > 0 && double.TryParse(number[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value * Math.Pow(1024, power) is >= 1 and < long.MaxValue and var bytes)
        {
            return (long)bytes;
        }

        argument.AddError($"The flag {((OptionResult)argument.Parent!).Option.Name} takes a size such as 4G or 500M, but '{text}' was given.");
        return null;
    }
}
