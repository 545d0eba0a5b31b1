using System.Globalization;

namespace Brink.Reports;

/// <summary>Formats numbers for reports, independently of the culture.</summary>
internal static class NumberText
{
    private const string None = "–";
    // From here on three digits would round to whole numbers, which are printed in full instead.
    private const double LargestWithDigits = 999.5;
    // Below this a number in scientific notation is shorter.
    private const double SmallestPlain = 1e-4;

    /// <summary>Formats a count with group separators: 1,000.</summary>
    public static string Count(long count) => count.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>Formats a number to three digits: 0.161, 12.3, 4,321. Null and NaN become a dash.</summary>
    public static string Length(double? value) => value is not { } number || double.IsNaN(number) ? None
        : double.IsInfinity(number) ? "∞"
        : Math.Abs(number) >= LargestWithDigits ? number.ToString("#,0", CultureInfo.InvariantCulture)
        : number != 0 && Math.Abs(number) < SmallestPlain ? number.ToString("0.##e-0", CultureInfo.InvariantCulture)
        : number.ToString("G3", CultureInfo.InvariantCulture);

    /// <summary>Formats a fraction as a percentage of three digits. Null becomes a dash.</summary>
    public static string Percent(double? share) => share is { } number ? $"{Length(number * 100)} %" : None;

    /// <summary>Formats an accuracy as a percentage with two decimals.</summary>
    public static string Accuracy(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:F2} %");

    /// <summary>Formats a mean number of passes with one decimal.</summary>
    public static string Passes(double passes) => passes.ToString("#,0.0", CultureInfo.InvariantCulture);

    /// <summary>Formats a duration, in milliseconds below one second and in seconds otherwise.</summary>
    public static string Time(double seconds) => seconds switch
    {
        < 1 => $"{Length(seconds * 1e3)} ms",
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds:#,0.0} s"),
    };

    /// <summary>Formats a version without the commit that it was built from.</summary>
    public static string Version(string version) => version.Split('+')[0];
}
