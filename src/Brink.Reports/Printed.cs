using System.Globalization;

namespace Brink.Reports;

/// <summary>Numbers as a report prints them, the same in every culture.</summary>
internal static class Printed
{
    private const string None = "–";
    private const double LargestWithDigits = 999.5;
    private const double SmallestPlain = 1e-4;

    /// <summary>1,000.</summary>
    public static string Count(long count) => count.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>Three digits: 0.161, 12.3, 4,321; a dash for a number that there is not.</summary>
    public static string Length(double? value) => value is not { } number || double.IsNaN(number) ? None
        : double.IsInfinity(number) ? "∞"
        : Math.Abs(number) >= LargestWithDigits ? number.ToString("#,0", CultureInfo.InvariantCulture)
        : number != 0 && Math.Abs(number) < SmallestPlain ? number.ToString("0.##e-0", CultureInfo.InvariantCulture)
        : number.ToString("G3", CultureInfo.InvariantCulture);

    /// <summary>A fraction as a percentage of three digits.</summary>
    public static string Percent(double? share) => share is { } number ? $"{Length(number * 100)} %" : None;

    /// <summary>A fraction as a percentage of two decimals, as accuracies are given.</summary>
    public static string Accuracy(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:F2} %");

    /// <summary>A mean of passes: one decimal.</summary>
    public static string Passes(double passes) => passes.ToString("#,0.0", CultureInfo.InvariantCulture);

    /// <summary>A time, in the unit that suits it.</summary>
    public static string Time(double seconds) => seconds switch
    {
        < 1 => $"{Length(seconds * 1e3)} ms",
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds:#,0.0} s"),
    };

    /// <summary>A version without the commit that it was built from.</summary>
    public static string Version(string version) => version.Split('+')[0];
}
