using System.CommandLine.Parsing;
using System.Globalization;

namespace Brink.Cli.Running;

/// <summary>Reads the number of a flag, which may be a fraction such as 4/255.</summary>
internal static class RealNumber
{
    /// <summary>Alike in every culture, and says what is wrong without naming .NET's types.</summary>
    public static double? Parse(ArgumentResult argument)
    {
        var text = argument.Tokens[0].Value;
        var parts = text.Split('/').Select(part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : double.NaN).ToArray();
        var value = parts is [var numerator, var denominator] ? numerator / denominator : parts is [var single] ? single : double.NaN;
        if (double.IsFinite(value))
        {
            return value;
        }

        argument.AddError($"The flag {((OptionResult)argument.Parent!).Option.Name} takes a number such as 0.05 or 4/255, but '{text}' was given.");
        return null;
    }
}
