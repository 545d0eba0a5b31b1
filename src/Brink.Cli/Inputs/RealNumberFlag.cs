using System.CommandLine.Parsing;
using Brink.Evaluation.Catalog;

namespace Brink.Cli.Inputs;

/// <summary>Reads the number of a flag, which may be a fraction such as 4/255.</summary>
internal static class RealNumberFlag
{
    /// <summary>Alike in every culture, and says what is wrong without naming .NET's types.</summary>
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
