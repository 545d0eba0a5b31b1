using System.Text.Json.Nodes;
using Brink.Attacks;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;

namespace Brink.Evaluation.Tests.Runs;

public sealed class EnvelopeFileTests : IDisposable
{
    private const string Valid = """{"model": "m", "data": "d", "index": [3, 5, 4], "norm": "l2", "space": "pixels in [0, 1]", "attacks": {"fab": {"forwards": 202.5, "backwards": 900, "distances": [0.25, null, 0]}}}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Distances_belong_to_the_images_of_the_index_and_null_means_not_fooled()
    {
        var attack = Assert.Single(Read(Valid));
        Assert.Equal(("fab", 202.5, 900), (attack.Attack, attack.Forwards, attack.Backwards));
        Assert.Equal([null, 0.25, 0, double.PositiveInfinity], new long[] { 2, 3, 4, 5 }.Select(attack.Length));
    }

    [Fact]
    public void A_written_file_is_read_with_the_same_numbers()
    {
        ComparedImage Image(long index, AttackExit exit, double length) => new(index, exit, length, 0.1, 0.1, index, 3 * index, Underflowed: false);
        ComparedRun Attack(string name, double epsilon, AttackExit exit) => new(name, name, Run() with { Options = epsilon > 0 ? Options(("epsilon", epsilon)) : Options() }, [Image(3, AttackExit.Fooled, 1.0 / 3), Image(4, AttackExit.Misclassified, 0), Image(5, exit, 1e-7)], 1);
        var text = EnvelopeFile.ToJson([Attack("tr[radius=0.05]", 0, AttackExit.Fooled), Attack("pgd", 0.5, AttackExit.Fooled), Attack("deepfool \"best\"", 0, AttackExit.IterationLimit)])!;
        Assert.Equal([3, 5], JsonNode.Parse(text)!["index"]!.AsArray().Select(index => (long)index!));
        var read = Read(text);
        // Lengths of a budgeted attack are not the smallest ones.
        Assert.Equal(["tr[radius=0.05]", "deepfool \"best\""], read.Select(attack => attack.Attack), StringComparer.Ordinal);
        Assert.All(read, attack => Assert.Equal((4, 12), (attack.Forwards, attack.Backwards)));
        Assert.Equal([1.0 / 3, null, 1e-7], new long[] { 3, 4, 5 }.Select(read[0].Length));
        Assert.Equal([1.0 / 3, null, double.PositiveInfinity], new long[] { 3, 4, 5 }.Select(read[1].Length));
    }

    [Theory]
    [InlineData("normalized", "misclassified", "best", 0.0)]
    [InlineData("pixel", "target-class", "3", 0.0)]
    [InlineData("pixel", "misclassified", "best", 0.9)]
    public void Other_spaces_and_criteria_have_no_envelope_files(string space, string criterion, string target, double confidence)
    {
        var run = Run() with { Space = space, Criterion = criterion, Target = target, Options = confidence > 0 ? Options(("confidence", confidence)) : Options() };
        Assert.Contains("remove --envelope", Assert.Throws<BadInputException>(() => EnvelopeFile.Read([_folder["none"]], run, 0, 9)).Message, StringComparison.Ordinal);
        Assert.Empty(EnvelopeFile.Read([], run, 0, 9));
        Assert.Null(EnvelopeFile.ToJson([new("tr", "tr", run, [new(0, AttackExit.Fooled, 1, 1, 1, 1, 1, Underflowed: false)], 1)]));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("index = [3]", "")]
    [InlineData("{", "")]
    [InlineData("null", "null")]
    [InlineData("[]", "")]
    [InlineData("{}", "required")]
    [InlineData("deep", "")]
    [InlineData("\"index\": [3, 5, 4]", "\"index\": null", "")]
    [InlineData("\"index\": [3, 5, 4]", "\"index\": [3, 5, 4.5]", "")]
    [InlineData("\"index\": [3, 5, 4]", "\"index\": [3, 5, \"4\"]", "")]
    [InlineData("\"index\": [3, 5, 4]", "\"index\": [3, 5, 1e30]", "")]
    [InlineData("\"index\": [3, 5, 4]", "\"index\": [3, 5, 3]", "distinct")]
    [InlineData("\"index\": [3, 5, 4]", "\"index\": [3, 5, -4]", "distinct")]
    [InlineData("\"index\": [3, 5, 4]", "\"index\": [3, 5]", "one distance for each of the 2 images of index, but has 3")]
    [InlineData("\"index\": [3, 5, 4]", "\"index\": [30, 50, 40]", "none of the images 3 to 9")]
    [InlineData("\"index\": [3, 5, 4]", "\"index\": []", "none of the images 3 to 9")]
    [InlineData("\"l2\"", "\"linf\"", "norm should be l2")]
    [InlineData("\"l2\"", "2", "")]
    [InlineData("\"norm\": \"l2\",", "", "norm")]
    [InlineData("pixels in [0, 1]", "pixels in [0, 255]", "space should be")]
    [InlineData("null, 0]", "NaN, 0]", "")]
    [InlineData("null, 0]", "Infinity, 0]", "")]
    [InlineData("null, 0]", "1e999, 0]", "numbers from 0")]
    [InlineData("null, 0]", "-0.5, 0]", "numbers from 0")]
    [InlineData("null, 0]", "\"0.5\", 0]", "")]
    [InlineData("null, 0]", "true, 0]", "")]
    [InlineData("null, 0]", "[0.5], 0]", "")]
    [InlineData("[0.25, null, 0]", "null", "")]
    [InlineData("\"forwards\": 202.5", "\"forwards\": -1", "numbers from 0")]
    [InlineData("\"forwards\": 202.5", "\"forwards\": 1e999", "numbers from 0")]
    [InlineData("\"forwards\": 202.5", "\"forwards\": null", "")]
    [InlineData("\"forwards\": 202.5,", "", "forwards")]
    [InlineData("\"fab\": {", "\"fab\": null, \"fmn\": {", "'fab'")]
    [InlineData("\"fab\": {", "\"fmn\": {\"forwards\": 1, \"backwards\": 1, \"distances\": [1, 1, 1]}, \"fmn\": {", "")]
    [InlineData("\"fab\": {", "\"\\ud800\": {", "")]
    [InlineData("\"fab\"", "\"fa\u0007b\nc\"", "")]
    public void Malformed_files_are_refused_in_one_sentence(string text, string other, string? fragment = null)
    {
        var content = fragment is null ? (text == "deep" ? new string('[', 100_000) : text) : Valid.Replace(text, other, StringComparison.Ordinal);
        Assert.NotEqual(Valid, content, StringComparer.Ordinal);
        var message = Assert.Throws<BadInputException>(() => Read(content)).Message;
        Assert.Contains(fragment ?? other, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.EndsWith("such as the envelope.json of a comparison.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_and_huge_files_and_too_many_attacks_are_refused()
    {
        string Refused(params string[] paths) => Assert.Throws<BadInputException>(() => EnvelopeFile.Read(paths, Run(), 3, 9)).Message;
        Assert.Contains("cannot be used", Refused(_folder["none.json"]), StringComparison.Ordinal);
        Assert.Contains("cannot be used", Refused(_folder.Path), StringComparison.Ordinal);
        Assert.Contains("cannot be used", Refused(""), StringComparison.Ordinal);
        File.WriteAllText(_folder["huge.json"], Valid + new string(' ', 17 << 20));
        Assert.Contains("more than 16 MB", Refused(_folder["huge.json"]), StringComparison.Ordinal);
        var many = string.Join(", ", Enumerable.Range(0, 60).Select(number => $$"""  "a{{number}}": {"forwards": 1, "backwards": 1, "distances": [1, 1, 1]}"""));
        File.WriteAllText(_folder["many.json"], $$"""{"index": [3, 5, 4], "norm": "l2", "attacks": { {{many}} } }""");
        Assert.Equal(60, EnvelopeFile.Read([_folder["many.json"]], Run(), 3, 9).Count);
        Assert.Contains("100 attacks, but 120", Refused(_folder["many.json"], _folder["many.json"]), StringComparison.Ordinal);
    }

    private IReadOnlyList<FiledAttack> Read(string content)
    {
        File.WriteAllText(_folder["envelope.json"], content);
        return EnvelopeFile.Read([_folder["envelope.json"]], Run(), 3, 9);
    }

    private static Dictionary<string, object> Options(params (string Key, object Value)[] options) => options.ToDictionary(option => option.Key, option => option.Value, StringComparer.Ordinal);

    private static RunDescription Run() => new() { Attack = "tr", Norm = "l2", Space = "pixel", Target = "untargeted", Criterion = "misclassified", Model = "signs", Data = "signs", Seed = 0, Options = Options() };
}
