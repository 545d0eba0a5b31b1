using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Brink.Attacks;

namespace Brink.Evaluation.Catalog;

/// <summary>The properties of an options record by their names in kebab case, for the command line and for <c>results.json</c>.</summary>
/// <remarks>A record inside the record lends its properties with its own name in front: <c>radius-growth</c>. One that is not there has none.</remarks>
internal static class AttackSettings
{
    /// <summary>Sets properties of freshly made options, which nobody else holds yet.</summary>
    /// <exception cref="BadInputException">A key is not a property, or a value is not of its type.</exception>
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

    /// <summary>Every property with its value.</summary>
    public static SortedDictionary<string, object> Describe(object options) => new(
        Slots(options, "").ToDictionary(slot => slot.Key, slot => Plain(slot.Property.GetValue(slot.Owner)!), StringComparer.Ordinal),
        StringComparer.Ordinal);

    /// <summary>untargeted, best, hardest or the number of a class.</summary>
    /// <exception cref="BadInputException">It is none of them.</exception>
    public static TargetSelection ParseTarget(string value) => value switch
    {
        "untargeted" => TargetSelection.Untargeted,
        "best" => TargetSelection.Best,
        "hardest" => TargetSelection.Hardest,
        _ when int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var classIndex) => TargetSelection.Given(classIndex),
        _ => throw new BadInputException($"The target must be untargeted, best, hardest or the number of a class, but '{value}' was given."),
    };

    /// <summary>A finite number, which may be a fraction.</summary>
    /// <exception cref="BadInputException">It is none.</exception>
    public static double ParseNumber(string key, string value) =>
        TryParseNumber(value, out var number)
            ? number
            : throw new BadInputException($"The option {key} must be a number such as 0.05, but '{value}' was given.");

    /// <summary>Reads a number that float32, the type images come in, can hold too.</summary>
    public static bool TryParseNumber(string value, out double number) =>
        RealNumber.TryParse(value, out number) && float.IsFinite((float)number);

    private static IEnumerable<Slot> Slots(object owner, string prefix)
    {
        foreach (var property in owner.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite))
        {
            var key = prefix + JsonNamingPolicy.KebabCaseLower.ConvertName(property.Name);
            if (property.PropertyType == typeof(RadiusPolicy) || property.PropertyType == typeof(CurvatureOptions))
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

        if (type == typeof(TargetSelection))
        {
            return ParseTarget(value);
        }

        if (type == typeof(IObjective))
        {
            return value switch
            {
                "gap" => LogitGap.Instance,
                "cross-entropy" => CrossEntropy.Instance,
                _ => throw new BadInputException($"The objective must be gap or cross-entropy, but '{value}' was given."),
            };
        }

        if (type == typeof(double))
        {
            return ParseNumber(key, value);
        }

        if (type == typeof(int))
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
        IObjective objective => objective.Name,
        Enum member => JsonNamingPolicy.KebabCaseLower.ConvertName(member.ToString()),
        _ => value.ToString()!,
    };

    private sealed record Slot(string Key, object Owner, PropertyInfo Property);
}
