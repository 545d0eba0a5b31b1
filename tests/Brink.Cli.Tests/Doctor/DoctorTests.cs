using System.Runtime.InteropServices;
using Brink.Data;

namespace Brink.Cli.Tests.Doctor;

public sealed class DoctorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string? _before = Environment.GetEnvironmentVariable(DataLocations.Variable);

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(DataLocations.Variable, _before);
        _folder.Dispose();
    }

    [Fact]
    public void Prints_what_a_bug_report_needs()
    {
        Environment.SetEnvironmentVariable(DataLocations.Variable, null);
        var lines = Lines();
        Assert.Equal(Evaluation.Results.AttackSummary.Version, lines["brink"]);
        Assert.Equal(RuntimeInformation.FrameworkDescription, lines[".NET"]);
        Assert.Equal($"{Environment.ProcessorCount}", lines["processors"]);
        Assert.Equal("0.107.0.0", lines["TorchSharp"]);
        Assert.Matches(@"^2\.10\.[\d.]+ loads$", lines["libtorch"]);
        Assert.True(int.Parse(lines["threads"], System.Globalization.CultureInfo.InvariantCulture) > 0);
        Assert.StartsWith("cpu", lines["devices"], StringComparison.Ordinal);
        Assert.Equal("model signs, images signs", lines["embedded"]);
        Assert.Equal("not set", lines[DataLocations.Variable]);
        Assert.StartsWith(DataLocations.UserFolder, lines["data folder"], StringComparison.Ordinal);
    }

    [Fact]
    public void Reports_that_the_native_library_was_patched()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64, "needs Linux on x64");
        Assert.Matches("^(not )?needed: this system (lacks|provides) GLIBCXX_3.4.32; applied$", Lines()["symbol fix"]);
    }

    [Fact]
    public void Lists_the_contents_of_the_data_folder()
    {
        Environment.SetEnvironmentVariable(DataLocations.Variable, _folder["nowhere"]);
        Assert.Equal($"{_folder["nowhere"]} (does not exist)", Lines()[DataLocations.Variable]);

        Directory.CreateDirectory(_folder["data"]);
        Environment.SetEnvironmentVariable(DataLocations.Variable, _folder["data"]);
        Assert.Equal($"{_folder["data"]} (empty)", Lines()[DataLocations.Variable]);

        File.WriteAllText(Path.Combine(_folder["data"], "test_batch.bin"), "");
        Assert.Equal($"{_folder["data"]} (test_batch.bin)", Lines()[DataLocations.Variable]);
    }

    private static Dictionary<string, string> Lines()
    {
        var run = Invocation.Of("doctor").AssertDone();
        Assert.Empty(run.Error);
        return run.Output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries).ToDictionary(line => line[..16].TrimEnd(), line => line[16..].Trim(), StringComparer.Ordinal);
    }
}
