using System.CommandLine;
using System.Runtime.ExceptionServices;
using System.Text;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;
using Brink.Data;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;

namespace Brink.Cli.Reproduce;

/// <summary><c>brink reproduce</c>: prints a table of the paper with measured values.</summary>
internal static class ReproduceCommand
{
    public static Command Create(TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var options = new ReproduceOptions();
        var command = new Command("reproduce", "Measure the values of a table or figure of the paper, and print them beside the paper's values as Markdown. Only networks with --weights are measured.") { options.Table };
        foreach (var option in options.All)
        {
            command.Add(option);
        }

        command.SetAction(parsed => Run(parsed, options, output, error, cancellationToken));
        return command;
    }

    private static int Run(ParseResult parsed, ReproduceOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(options.Table) == Figure4.Name)
        {
            return Figure4Run.Run(parsed, options, output, error, cancellationToken);
        }

        var table = PaperTables.Named(parsed.GetValue(options.Table)!);
        if (parsed.GetValue(options.Steps) is not null)
        {
            throw new BadInputException($"The flag --steps is for {Figure4.Name} only, but {table.Name} was requested; remove --steps.");
        }

        var without = Without(table, parsed.GetValue(options.Without));
        var weights = Weights(table.Name, table.Networks, parsed.GetValue(options.Weights) ?? []);
        var folder = parsed.GetValue(options.Out);
        if (parsed.GetValue(options.Resume) && folder is null)
        {
            throw new BadInputException("The flag --resume needs the folder of the table, but none was given; add --out FOLDER.");
        }

        if (folder is not null)
        {
            ResultFolder.Prepare(folder);
        }

        var inputs = new List<RunInput>();
        try
        {
            var planned = weights.Count > 0 ? Plan(parsed, options, table, weights, without, inputs, cancellationToken) : [];
            var finished = new List<ReproducedRun>();
            try
            {
                for (var number = 0; number < planned.Count && Finish(planned[number], table.Steps, error, parsed.GetValue(options.Quiet), cancellationToken) is { } run; number++)
                {
                    finished.Add(run);
                }
            }
            finally
            {
                // The results of finished runs are written even if a later one fails.
                Print(ReproducedTable.Of(table, finished, planned.Count), folder, parsed.GetValue(options.Json), output);
            }

            if (finished.Count == planned.Count)
            {
                return ExitCode.Done;
            }

            if (folder is not null && !parsed.GetValue(options.Json))
            {
                output.WriteLine("The same command with --resume continues the table.");
            }

            return ExitCode.Cancelled;
        }
        finally
        {
            inputs.ForEach(input => input.Dispose());
        }
    }

    /// <summary>Opens models, images and folders of all runs, so that invalid input is reported before hours of work.</summary>
    /// <param name="parsed">The parsed command line.</param>
    /// <param name="options">The flags.</param>
    /// <param name="table">The table.</param>
    /// <param name="weights">The files of weights, by network of the table.</param>
    /// <param name="without">The keys of the rows to leave out.</param>
    /// <param name="inputs">The list to add the opened models to, which the caller disposes, also after an exception.</param>
    /// <param name="cancellationToken">Cancels the reading of images.</param>
    private static List<TableRun> Plan(ParseResult parsed, ReproduceOptions options, PaperTable table, Dictionary<PaperNetwork, string> weights, HashSet<string> without, List<RunInput> inputs, CancellationToken cancellationToken)
    {
        var data = parsed.GetValue(options.Data);
        if (data is null || !table.Data.Is(data))
        {
            throw new BadInputException($"The table {table.Name} needs images of {table.Data.Name}, but {(data is null ? "none were" : $"'{data}' was")} given; add --data {table.Data.Example}.");
        }

        var images = DataCatalog.Open(data, 0, parsed.GetValue(options.Limit), new() { LabelFile = parsed.GetValue(options.Labels) }, cancellationToken);
        TorchLibrary.Require();
        var device = ComputeDevice.Set(parsed.GetValue(options.Device)!, parsed.GetValue(options.Threads));
        foreach (var (network, file) in weights)
        {
            inputs.Add(new(NamedModel.Load(network.Model, file), file, data, images, device, InputSpace.Normalized, table.Data.BatchSize));
        }

        var rows =
            from pair in weights.Keys.Zip(inputs)
            from section in table.Sections
            from attack in section.Attacks
            where !without.Contains(attack.Key)
            select Plan(pair.First, section, attack, pair.Second);
        return [.. rows];

        TableRun Plan(PaperNetwork network, PaperSection section, PaperAttack attack, RunInput input)
        {
            var configured = AttackCatalog.Create(attack.Specification);
            var some = attack.CorrectImages is { } correct ? CorrectImages.Until(input.Model, images, correct, input.BatchSize, device) : images;
            var folder = parsed.GetValue(options.Out) is { } path
                ? RunFolder.Open(Path.Combine(path, table.Name, input.Loaded.Name, section.Norm, attack.Key), input.Describe(configured), input.Loaded, some, parsed.GetValue(options.Resume))
                : null;
            return new(network, section, attack, configured, input, some, folder);
        }
    }

    /// <summary>Runs the attack unless its folder contains the finished run; returns null if it was cancelled.</summary>
    private static ReproducedRun? Finish(TableRun run, int? steps, TextWriter error, bool silent, CancellationToken cancellationToken)
    {
        if (run.Folder?.Finished is { } finished)
        {
            using var saved = steps is null ? null : SavedRun.Read(run.Folder.Folder);
            return run.With(finished) with { Steps = saved is null ? null : StepFigures.Of(saved, steps!.Value) };
        }

        var evaluation = new AttackEvaluation(run.Input.Model, run.Configured.Attack, run.Input.BatchSize, run.Input.Device, run.Configured.Criterion) { OpenStartingImages = run.Input.OpenStartingImages };
        evaluation.WarmUp(run.Images);
        using var result = ProgressDisplay.Run(error, silent, progress => evaluation.Run(run.Images, progress, run.Folder, cancellationToken), run.Name);
        var summary = AttackSummary.Of(run.Input.Describe(run.Configured), result);
        if (result.Images.Count > 0)
        {
            run.Folder?.Write(summary, result);
        }

        if (result.Failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return result.IsComplete ? run.With(summary) with { Steps = steps is { } most ? StepFigures.Of(result, most) : null } : null;
    }

    private static void Print(ReproducedTable table, string? folder, bool json, TextWriter output)
    {
        var (markdown, data) = (ReproducedTableText.ToMarkdown(table), ReproducedTableText.ToJson(table));
        try
        {
            if (folder is not null)
            {
                AtomicFile.Write(Path.Combine(folder, $"{table.Table}.md"), stream => stream.Write(Encoding.UTF8.GetBytes(markdown + "\n")));
                AtomicFile.Write(Path.Combine(folder, $"{table.Table}.json"), stream => stream.Write(Encoding.UTF8.GetBytes(data + "\n")));
            }
        }
        finally
        {
            output.WriteLine(json ? data : markdown);
        }
    }

    private static HashSet<string> Without(PaperTable table, string? list)
    {
        var without = (list ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.Ordinal);
        var keys = table.Sections.SelectMany(section => section.Attacks).Select(attack => attack.Key).Distinct(StringComparer.Ordinal).ToArray();
        return without.Except(keys, StringComparer.Ordinal).FirstOrDefault() is { } unknown
            ? throw new BadInputException($"The table {table.Name} has no row '{unknown}' to leave out; it has {string.Join(", ", keys)}.")
            : without;
    }

    /// <summary>Parses <c>--weights</c> into the files by network of a table or figure.</summary>
    internal static Dictionary<PaperNetwork, string> Weights(string name, IReadOnlyList<PaperNetwork> networks, string[] assignments)
    {
        var names = string.Join(" or ", networks.Select(network => network.Model));
        var weights = new Dictionary<PaperNetwork, string>();
        foreach (var assignment in assignments)
        {
            if (assignment.Split('=', 2) is not [var model, var file])
            {
                throw new BadInputException($"The flag --weights takes NAME=FILE, but '{assignment}' was given; for {name} NAME is {names}.");
            }

            var network = networks.FirstOrDefault(one => one.Model == model)
                ?? throw new BadInputException($"{name} has no network '{model}'; give weights of {names}.");
            if (!weights.TryAdd(network, file))
            {
                throw new BadInputException($"Each network takes one file of weights, but {model} was given two; remove one.");
            }
        }

        return weights;
    }
}

/// <summary>A run that a table needs.</summary>
/// <param name="Network">The network of the paper.</param>
/// <param name="Section">The section of the table.</param>
/// <param name="Attack">The row.</param>
/// <param name="Configured">The attack.</param>
/// <param name="Input">The model that replaces the network of the paper, and the images of the table.</param>
/// <param name="Images">The images that the attack runs on, all or a part of those of <paramref name="Input"/>.</param>
/// <param name="Folder">The run folder; null without <c>--out</c>.</param>
internal sealed record TableRun(PaperNetwork Network, PaperSection Section, PaperAttack Attack, ConfiguredAttack Configured, RunInput Input, ImageSet Images, RunFolder? Folder)
{
    /// <summary>The name of the run in the progress.</summary>
    public string Name => $"{Input.Loaded.Name}, {Section.Norm}, {Attack.Key}";

    /// <summary>Combines the run with its results.</summary>
    public ReproducedRun With(AttackSummary summary) => new(Network, Section, Attack, summary);
}

/// <summary>The argument and the flags of <c>brink reproduce</c>.</summary>
internal sealed class ReproduceOptions
{
    public Argument<string> Table { get; } = new("table") { Description = $"{string.Join(", ", PaperTables.All.Select(table => $"{table.Name} ({table.Title})"))} or {Figure4.Name} (times of the attacks on the ImageNet networks)." };

    public Option<string[]> Weights { get; } = new("--weights") { Description = "The weights of a network to measure, a PyTorch state dict or safetensors: resnet20=FILE. May be repeated for other networks.", HelpName = "NAME=FILE" };

    public Option<string?> Data { get; } = new("--data") { Description = "The images: cifar10 (after brink data fetch cifar10) or cifar10:FILE|FOLDER (binary format); for table3, table4 and figure4 imagenet:FOLDER|FILE.tar.", HelpName = "SET" };

    public Option<string?> Labels { get; } = new("--labels") { Description = $"A CSV file with an image file and its synset or class number in each row, for images of ImageNet that are not in folders of synsets. Not for {Figure4.Name}, which uses predicted labels. [default: the folders]", HelpName = "FILE" };

    public Option<int?> Limit { get; } = new("--limit") { CustomParser = WholeNumber.Parse<int>, Description = $"The maximum number of images. [default: all; {Figure4.Name}: {Figure4.DefaultImages}]", HelpName = "N" };

    public Option<string?> Without { get; } = new("--without") { Description = $"Rows to leave out, separated by commas: cw, for example, takes most of the time. For {Figure4.Name}: networks to leave out.", HelpName = "LIST" };

    public Option<int?> Steps { get; } = new("--steps") { CustomParser = WholeNumber.Parse<int>, Description = $"The number of steps of each attack to time. Only for {Figure4.Name}. [default: {Figure4.DefaultSteps}]", HelpName = "N" };

    public Option<string> Device { get; } = new("--device") { Description = "The device: cpu, cuda, or cuda:N for the GPU of number N.", DefaultValueFactory = _ => "cpu", HelpName = "DEVICE" };

    public Option<int?> Threads { get; } = new("--threads") { CustomParser = WholeNumber.Parse<int>, Description = "The number of CPU threads. [default: one per processor]", HelpName = "N" };

    public Option<string?> Out { get; } = new("--out") { Description = "The folder for the table as Markdown and JSON, with one run folder per row.", HelpName = "FOLDER" };

    public Option<bool> Resume { get; } = new("--resume") { Description = "Continue the table in the folder of --out and keep its finished rows." };

    public Option<bool> Json { get; } = new("--json") { Description = "Print the table as JSON instead of Markdown." };

    public Option<bool> Quiet { get; } = new("--quiet") { Description = "Show no progress." };

    public IEnumerable<Option> All => [Weights, Data, Labels, Limit, Without, Steps, Device, Threads, Out, Resume, Json, Quiet];
}
