using System.CommandLine;
using System.Globalization;
using System.Runtime;
using Brink.Fuzzing;
using TorchSharp;

var reader = new Option<string[]>("--reader") { Description = $"The readers, or all: {string.Join(", ", Readers.Names)}.", Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => ["all"] };
var executions = new Option<long>("--executions") { Description = "The number of damaged files for each reader.", DefaultValueFactory = _ => 10_000 };
var first = new Option<long>("--execution") { Description = "The first execution; with --executions 1 it reproduces a finding.", DefaultValueFactory = _ => 0 };
var seed = new Option<int>("--seed") { Description = "The seed of the damages.", DefaultValueFactory = _ => 1 };
var seconds = new Option<double>("--seconds") { Description = "The maximum time for each reader.", DefaultValueFactory = _ => double.MaxValue };
var save = new Option<string?>("--save") { Description = "The folder for the files of the findings." };
var command = new Option<string?>("--torchscript") { Description = "A command to run on damaged TorchScript files instead, with FILE for the file, such as 'brink attack --model FILE --limit 2'." };
var model = new Option<string?>("--model") { Description = "The undamaged TorchScript file." };
var log = new Option<string>("--log") { Description = "The log of the runs, which an interrupted series continues.", DefaultValueFactory = _ => "torchscript.log" };
var workers = new Option<int>("--workers") { Description = "The number of commands that run at once.", DefaultValueFactory = _ => 1 };
var root = new RootCommand("Damages valid files and reads them with every reader of Brink. Exit code 1: a call ended in another way than with a result or a message, took more than 5 s or needed more than 1 GB.")
{
    reader, executions, first, seed, seconds, save, command, model, log, workers,
};
root.SetAction(parsed =>
{
    var (from, count) = (parsed.GetValue(first), parsed.GetValue(executions));
    if (parsed.GetValue(command) is { } line)
    {
        var wrong = ScriptCommand.Run(line, parsed.GetValue(model)!, ((int)from, (int)(from + count)), parsed.GetValue(seed), parsed.GetValue(log)!, parsed.GetValue(workers));
        Console.WriteLine($"{wrong} runs ended wrongly; see {parsed.GetValue(log)}");
        return wrong > 0 ? 1 : 0;
    }

    torch.set_num_threads(1);
    using var readers = new Readers();
    var names = parsed.GetValue(reader)!;
    var failed = false;
    foreach (var name in Readers.Names.Where(name => names.Contains(name, StringComparer.Ordinal) || names.Contains("all", StringComparer.Ordinal)))
    {
        var fuzzer = new Fuzzer(readers.Open(name), parsed.GetValue(seed), new(Seconds: 5, Bytes: 1_000_000_000));
        var began = DateTime.UtcNow;
        var limit = parsed.GetValue(seconds);
        fuzzer.Run(from, count, limit < 1e6 ? TimeSpan.FromSeconds(limit) : TimeSpan.MaxValue, execution =>
        {
            Console.WriteLine($"{name}: HUNG at --seed {parsed.GetValue(seed)} --execution {execution}");
            Save(execution);
            Environment.Exit(1);
        });
        var (slowest, at) = fuzzer.Slowest;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {fuzzer.Executions} executions in {(DateTime.UtcNow - began).TotalSeconds:F0} s, {fuzzer.Accepted} accepted, slowest {slowest * 1000:F0} ms (execution {at}), peak {fuzzer.PeakMemory / 1e6:F0} MB, {fuzzer.FindingCount} findings"));
        foreach (var finding in fuzzer.Findings)
        {
            Console.WriteLine($"  --reader {name} --seed {parsed.GetValue(seed)} --execution {finding.Execution} --executions 1: {finding.Problem}");
            Save(finding.Execution);
        }

        failed |= fuzzer.FindingCount > 0;
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        _ = Brink.Testing.ResidentMemory.Measure();

        void Save(long execution)
        {
            if (parsed.GetValue(save) is { } folder)
            {
                Directory.CreateDirectory(folder);
                File.WriteAllBytes(Path.Combine(folder, $"{name}-{parsed.GetValue(seed)}-{execution}"), fuzzer.File(execution));
            }
        }
    }

    return failed ? 1 : 0;
});
return root.Parse(args).Invoke();
