using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Brink.Cli.Inputs;

/// <summary>Reads the whole number of a flag.</summary>
internal static class WholeNumber
{
    /// <summary>Alike in every culture, and says what is wrong without naming .NET's types.</summary>
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
