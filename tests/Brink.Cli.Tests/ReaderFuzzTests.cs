using Brink.Fuzzing;

namespace Brink.Cli.Tests;

/// <summary>Reads damaged files with every reader: the short form of <c>Brink.Fuzzing</c>, whose seeds are fixed here.</summary>
[Trait("speed", "slow")]
public sealed class ReaderFuzzTests
{
    // A few seconds for each reader.
    private const int Executions = 3000;
    private const int SlowExecutions = 100;

    // A hang only: the machine may be loaded, and the memory is that of all tests of the process.
    private static readonly FuzzLimits Limits = new(Seconds: 60, Bytes: long.MaxValue);

    public static TheoryData<string> Names => [.. Readers.Names];

    [Theory, MemberData(nameof(Names))]
    public void A_damaged_file_gives_a_result_or_a_message(string name)
    {
        using var readers = new Readers();
        var fuzzer = new Fuzzer(readers.Open(name), seed: 7, Limits);
        var executions = name == "run" ? SlowExecutions : Executions;
        fuzzer.Run(first: 0, executions, TimeSpan.MaxValue);
        Assert.True(fuzzer.FindingCount == 0, string.Join('\n', fuzzer.Findings.Select(finding => $"{name}, seed 7, execution {finding.Execution}: {finding.Problem}")));
        // Damages that every reader refuses, or none, would check nothing.
        // A folder of images is readable as long as one image is, so that it may refuse none.
        Assert.InRange(fuzzer.Accepted, 1, name == "folder" ? executions : executions - 1);
    }

    [Fact]
    public void An_unforeseen_exception_is_found_with_its_execution()
    {
        var fuzzer = new Fuzzer(new("broken", [[1, 2, 3]], (random, file) => Mutation.Of(random, file, []), file => file.Length == 3 || file[0] > 0), seed: 1, Limits);
        fuzzer.Run(first: 0, count: 500, TimeSpan.MaxValue);
        Assert.True(fuzzer.FindingCount > 0);
        var finding = Assert.Single(fuzzer.Findings);
        Assert.Contains(nameof(IndexOutOfRangeException), finding.Problem, StringComparison.Ordinal);
        Assert.Empty(fuzzer.File(finding.Execution));
    }

    [Theory]
    [InlineData("A reason without a full stop")]
    [InlineData("A line.\nAnother line.")]
    [InlineData("A colour \u001b[31m.")]
    public void A_message_that_is_no_line_is_found(string message)
    {
        var fuzzer = new Fuzzer(new("broken", [[1]], (_, file) => [.. file, 1], file => file.Length == 1 ? true : throw new BadInputException(message)), seed: 1, Limits);
        fuzzer.Run(first: 0, count: 1, TimeSpan.MaxValue);
        Assert.Equal(1, fuzzer.FindingCount);
    }
}
