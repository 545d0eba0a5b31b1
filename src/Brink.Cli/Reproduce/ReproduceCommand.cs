using System.CommandLine;
using System.Runtime.ExceptionServices;
using System.Text;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;
using Brink.Data;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Models;

namespace Brink.Cli.Reproduce;

/// <summary><c>brink reproduce</c>: a table of the paper with one's own figures in it.</summary>
internal static class ReproduceCommand
{
    public static Command Create(TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var options = new ReproduceOptions();
        var command = new Command("reproduce", "Compute a table or a figure of the paper and print it beside the paper's own numbers, as Markdown.") { options.Table };
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
            throw new BadInputException($"The steps that are timed belong to {Figure4.Name}, but {table.Name} was asked for; drop --steps.");
        }

        var without = Without(table, parsed.GetValue(options.Without));
        var weights = Weights(table.Name, table.Networks, parsed.GetValue(options.Weights) ?? []);
        var folder = parsed.GetValue(options.Out);
        if (parsed.GetValue(options.Resume) && folder is null)
        {
            throw new BadInputException("A table is resumed in the folder that it was written to, but none was given; add --out FOLDER.");
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
                // Hours of finished runs must not go with the one that failed.
                Print(ReproducedTable.Of(table, finished, planned.Count), folder, parsed.GetValue(options.Json), output);
            }

            if (finished.Count == planned.Count)
            {
                return ExitCode.Done;
            }

            if (folder is not null && !parsed.GetValue(options.Json))
            {
                output.WriteLine("The same command with --resume continues it.");
            }

            return ExitCode.Cancelled;
        }
        finally
        {
            inputs.ForEach(input => input.Dispose());
        }
    }

    /// <summary>Opens everything that the runs need, so that what is wrong is found out before hours of work.</summary>
    /// <param name="parsed">The flags.</param>
    /// <param name="options">Their meaning.</param>
    /// <param name="table">The table.</param>
    /// <param name="weights">The weights by network of the table.</param>
    /// <param name="without">The rows to leave out.</param>
    /// <param name="inputs">Takes the opened networks, which the caller owns, also after an exception.</param>
    /// <param name="cancellationToken">Stops the reading of images.</param>
    private static List<TableRun> Plan(ParseResult parsed, ReproduceOptions options, PaperTable table, Dictionary<PaperNetwork, string> weights, HashSet<string> without, List<RunInput> inputs, CancellationToken cancellationToken)
    {
        var data = parsed.GetValue(options.Data);
        if (data is null || !table.Data.Is(data))
        {
            throw new BadInputException($"The table {table.Name} needs images of {table.Data.Name}, but {(data is null ? "none were" : $"'{data}' was")} given; add --data {table.Data.Example}.");
        }

        var images = DataCatalog.Open(data, limit: parsed.GetValue(options.Limit), cancellationToken: cancellationToken);
        TorchLibrary.Require();
        var device = ComputeDevice.Set(parsed.GetValue(options.Device)!, parsed.GetValue(options.Threads));
        foreach (var (network, file) in weights)
        {
            inputs.Add(new(ModelCatalog.Load(network.Model, DataLocations.Resolve(file)), file, data, images, device, InputSpace.Normalized, table.Data.BatchSize));
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
                ? RunFolder.Open(Path.Combine(path, table.Name, input.Network.Name, section.Norm, attack.Key), input.Describe(configured), input.Network, some, parsed.GetValue(options.Resume))
                : null;
            return new(network, section, attack, configured, input, some, folder);
        }
    }

    /// <summary>Runs what is not finished yet; null where that was cancelled.</summary>
    private static ReproducedRun? Finish(TableRun run, int? steps, TextWriter error, bool silent, CancellationToken cancellationToken)
    {
        if (run.Folder?.Finished is { } finished)
        {
            using var saved = steps is null ? null : SavedRun.Read(run.Folder.Folder);
            return run.With(finished) with { Steps = saved is null ? null : StepFigures.Of(saved, steps!.Value) };
        }

        var evaluation = new AttackEvaluation(run.Input.Model, run.Configured.Attack, run.Input.BatchSize, run.Input.Device);
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

    /// <summary>The files by network of a table or figure.</summary>
    internal static Dictionary<PaperNetwork, string> Weights(string name, IReadOnlyList<PaperNetwork> networks, string[] assignments)
    {
        var names = string.Join(" or ", networks.Select(network => network.Model));
        var weights = new Dictionary<PaperNetwork, string>();
        foreach (var assignment in assignments)
        {
            if (assignment.Split('=', 2) is not [var model, var file])
            {
                throw new BadInputException($"The weights of a network are written NAME=FILE, but '{assignment}' was given; for {name} NAME is {names}.");
            }

            var network = networks.FirstOrDefault(one => one.Model == model)
                ?? throw new BadInputException($"For {name} there is no network '{model}'; give weights to {names}.");
            if (!weights.TryAdd(network, file))
            {
                throw new BadInputException($"Each network takes one file of weights, but {model} was given two; drop one.");
            }
        }

        return weights;
    }
}
