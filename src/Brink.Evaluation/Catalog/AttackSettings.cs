using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Brink.Attacks;

namespace Brink.Evaluation.Catalog;

/// <summary>Sets and lists the properties of an options record by their names in kebab case, as on the command line and in <c>results.json</c>.</summary>
/// <remarks>The properties of a nested record have the name of that record as a prefix: <c>radius-growth</c>. The number of steps of the boundary walk is <c>refine</c>; its other properties have no prefix or that one. A nested record that is null has no properties.</remarks>
internal static class AttackSettings
{
    /// <summary>Sets properties of an options record in place.</summary>
    /// <param name="options">The options, which must not be shared, since the properties are set after initialisation.</param>
    /// <param name="attack">The name of the attack, for error messages.</param>
    /// <param name="settings">The values by key.</param>
    /// <exception cref="BadInputException">A key is not a property, or a value does not have the type of the property.</exception>
    public static void Apply(object options, string attack, IEnumerable<KeyValuePair<string, string>> settings)
    {
        var slots = Slots(options, "").ToDictionary(slot => slot.Key, StringComparer.Ordinal);
        foreach (var (key, value) in settings)
        {
            if (!slots.TryGetValue(key, out var slot))
            {
                throw new BadInputException($"The attack {attack} has no option '{key}'; it has {string.Join(", ", slots.Keys.Order(StringComparer.Ordinal))}.");
            }

            slot.Property.SetValue(slot.Owner, Parse(key, value, slot.Property.PropertyType));
        }
    }

    /// <summary>Returns the value of every property by its key.</summary>
    /// <param name="options">The options.</param>
    /// <returns>Numbers and booleans as they are, all other values as text. Properties without a value are left out.</returns>
    public static SortedDictionary<string, object> Describe(object options) => new(
        Slots(options, "").Select(slot => (slot.Key, Value: slot.Property.GetValue(slot.Owner))).Where(slot => slot.Value is not null).ToDictionary(slot => slot.Key, slot => Plain(slot.Value!), StringComparer.Ordinal),
        StringComparer.Ordinal);

    /// <summary>Returns the explanation of every property by its key, from the XML documentation.</summary>
    /// <param name="options">The options.</param>
    /// <returns>The explanations; empty where the documentation is not installed.</returns>
    public static IReadOnlyDictionary<string, string> Explain(object options) => Slots(options, "").ToDictionary(slot => slot.Key, slot => OptionDocumentation.Of(slot.Property), StringComparer.Ordinal);

    /// <summary>Returns the numbers of a setting, of a run in memory or read from <c>results.json</c>.</summary>
    /// <param name="settings">The settings by name, or null for none.</param>
    /// <param name="key">The name of the setting.</param>
    /// <returns>The numbers, one for a setting that is no list, or null if there is no such setting or it has no numbers.</returns>
    public static double[]? Numbers(IReadOnlyDictionary<string, object>? settings, string key) => settings?.GetValueOrDefault(key) switch
    {
        double number => [number],
        int number => [number],
        IEnumerable<double> numbers => [.. numbers],
        JsonElement { ValueKind: JsonValueKind.Number } number => [number.GetDouble()],
        JsonElement { ValueKind: JsonValueKind.Array } list when list.EnumerateArray().All(entry => entry.ValueKind == JsonValueKind.Number) => [.. list.EnumerateArray().Select(entry => entry.GetDouble())],
        _ => null,
    };

    /// <summary>Parses a selection of the class that an attack approaches: <c>untargeted</c>, <c>best</c> or <c>hardest</c>.</summary>
    /// <param name="value">The text.</param>
    /// <returns>The selection, or null if the text is none.</returns>
    public static TargetSelection? TryParseTarget(string value) => value switch
    {
        "untargeted" => TargetSelection.Untargeted,
        "best" => TargetSelection.Best,
        "hardest" => TargetSelection.Hardest,
        _ => null,
    };

    /// <summary>Parses a finite number, which may be a fraction such as 4/255.</summary>
    /// <param name="key">The name of the option, for the error message.</param>
    /// <param name="value">The text.</param>
    /// <returns>The number.</returns>
    /// <exception cref="BadInputException">The text is not a finite number.</exception>
    public static double ParseNumber(string key, string value) =>
        TryParseNumber(value, out var number)
            ? number
            : throw new BadInputException($"The option {key} must be a number such as 0.05, but '{value}' was given.");

    /// <summary>Parses a number that is finite in float32, the type of images.</summary>
    /// <param name="value">The text.</param>
    /// <param name="number">The number, or 0 if the text is not a finite number.</param>
    /// <returns>True if the text is a number that float32 can hold.</returns>
    public static bool TryParseNumber(string value, out double number) =>
        RealNumber.TryParse(value, out number) && float.IsFinite((float)number);

    private static IEnumerable<Slot> Slots(object owner, string prefix)
    {
        foreach (var property in owner.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite))
        {
            var key = prefix + JsonNamingPolicy.KebabCaseLower.ConvertName(property.Name);
            var type = property.PropertyType;
            if (type == typeof(BoundaryWalkOptions))
            {
                if (property.GetValue(owner) is { } walk)
                {
                    yield return new("refine", walk, type.GetProperty(nameof(BoundaryWalkOptions.Steps))!);
                    yield return new("refine-candidates", walk, type.GetProperty(nameof(BoundaryWalkOptions.Candidates))!);
                    yield return new("effort", walk, type.GetProperty(nameof(BoundaryWalkOptions.Effort))!);
                    if (walk is BoundaryWalkOptions { Effort: not null })
                    {
                        // A single walk draws no random numbers.
                        yield return new("seed", walk, type.GetProperty(nameof(BoundaryWalkOptions.Seed))!);
                    }
                }
            }
            else if (type == typeof(RadiusPolicy) || type == typeof(CurvatureOptions))
            {
                foreach (var slot in property.GetValue(owner) is { } inner ? Slots(inner, key + "-") : [])
                {
                    yield return slot;
                }
            }
            else
            {
                yield return new(key, owner, property);
            }
        }
    }

    private static object Parse(string key, string value, Type type)
    {
        if (type == typeof(Norm))
        {
            return Norm.Parse(value);
        }

        if (type == typeof(double) || type == typeof(double?))
        {
            return ParseNumber(key, value);
        }

        if (type == typeof(int) || type == typeof(int?))
        {
            return int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw new BadInputException($"The option {key} must be a whole number, but '{value}' was given.");
        }

        if (type == typeof(long))
        {
            return long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw new BadInputException($"The option {key} must be a whole number, but '{value}' was given.");
        }

        if (type == typeof(bool))
        {
            return value is "true" or "false"
                ? value == "true"
                : throw new BadInputException($"The option {key} must be true or false, but '{value}' was given.");
        }

        var names = Enum.GetNames(type).ToDictionary(JsonNamingPolicy.KebabCaseLower.ConvertName, StringComparer.Ordinal);
        return names.TryGetValue(value, out var name)
            ? Enum.Parse(type, name)
            : throw new BadInputException($"The option {key} must be {string.Join(" or ", names.Keys)}, but '{value}' was given.");
    }

    private static object Plain(object value) => value switch
    {
        double or int or long or bool => value,
        Enum member => JsonNamingPolicy.KebabCaseLower.ConvertName(member.ToString()),
        _ => value.ToString()!,
    };

    private sealed record Slot(string Key, object Owner, PropertyInfo Property);
}

/// <summary>Parses real numbers as users write them: 0.05, 5e-2, or a fraction such as 4/255. The result does not depend on the culture.</summary>
internal static class RealNumber
{
    /// <summary>Parses a real number.</summary>
    /// <param name="text">The text.</param>
    /// <param name="number">The number, or 0 if the text is not a finite number.</param>
    /// <returns>True if the text is a finite number.</returns>
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
