using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>The tensors of a checkpoint that fit a network, and those that are set aside.</summary>
/// <param name="Weights">The tensors of the checkpoint by the names of the network.</param>
/// <param name="Prefix">The removed prefix of their names in their dictionary, with its dot; may be empty.</param>
/// <param name="Wrappers">True if names of wrapping modules were removed inside the names.</param>
/// <param name="Aside">The tensors that are not used.</param>
internal sealed record StateDictMatch(IReadOnlyDictionary<string, StoredTensor> Weights, string Prefix, bool Wrappers, SetAsideTensors Aside)
{
    /// <summary>The tensors whose numbers are needed.</summary>
    public IReadOnlyCollection<StoredTensor> Needed => [.. Weights.Values.Concat(Aside.Reported).Distinct()];
}

/// <summary>Finds the weights of a network among the tensors of a checkpoint and loads them.</summary>
/// <param name="module">The network.</param>
/// <param name="source">The name of the checkpoint in error messages.</param>
internal sealed class StateDictFit(nn.Module module, string source)
{
    // Batch normalisation counts its batches since PyTorch 0.4.1. Older files do not have the count, and evaluation does not use it.
    private const string BatchCounter = "num_batches_tracked";

    // Modules that only contain another one: DataParallel, torch.compile, FullyShardedDataParallel, activation checkpoints.
    private static readonly HashSet<string> Wrappers = new(StringComparer.Ordinal) { "module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module" };

    private readonly Dictionary<string, Tensor> _slots = module.state_dict();

    // The first parts of the names.
    private readonly HashSet<string> _layers = module.state_dict().Keys.Where(name => name.Contains('.', StringComparison.Ordinal)).Select(name => name[..name.IndexOf('.', StringComparison.Ordinal)]).ToHashSet(StringComparer.Ordinal);

    /// <summary>Finds the only tensors that fit the network.</summary>
    /// <param name="tensors">All tensors of the checkpoint.</param>
    /// <param name="key">The key chosen by the user; null to search all tensors.</param>
    /// <param name="rename">The function that translates old names.</param>
    /// <returns>The match.</returns>
    /// <exception cref="BadInputException">Thrown when no tensors fit, or when several sets fit.</exception>
    public StateDictMatch Match(IReadOnlyList<StoredTensor> tensors, string? key, Func<string, string> rename)
    {
        var beginning = Checkpoint.Beginning(key ?? "");
        var searched = key is null ? tensors : Checkpoint.Under(tensors, key, source);
        var named = searched.Select(tensor => (Name: rename(tensor.Path[beginning.Length..]), Tensor: tensor)).ToList();
        var candidates = Candidates(named);
        var unwrapped = named.ConvertAll(pair => (Name: string.Join('.', pair.Name.Split('.').Where(part => !Wrappers.Contains(part))), pair.Tensor));
        var wrappers = false;
        if (!candidates.Exists(IsComplete) && unwrapped.DistinctBy(pair => pair.Name, StringComparer.Ordinal).Count() == named.Count && Candidates(unwrapped) is var others && others.Exists(IsComplete))
        {
            (candidates, wrappers) = (others, true);
        }

        var complete = candidates.FindAll(IsComplete);
        var found = Only(complete, key) ?? throw Refuse(Problem(candidates, searched));
        var dictionaries = found.Tensors.Values.Select(tensor => tensor.Dictionary).ToHashSet(StringComparer.Ordinal);
        // The other sets that fit were excluded by the key, or are the same numbers.
        var used = complete.SelectMany(candidate => candidate.Tensors.Values).ToHashSet();
        var aside = SetAsideTensors.Among(
            tensors.Where(tensor => !used.Contains(tensor)),
            tensor => dictionaries.Contains(tensor.Dictionary) && tensor.Path.StartsWith(beginning, StringComparison.Ordinal),
            tensor => IsInside(tensor, beginning + found.Prefix));
        var prefix = NamePrefix(beginning, found, wrappers);
        if (aside.Weights.Count > 0)
        {
            var choice = beginning + found.Prefix is { Length: > 0 } whole && !wrappers && !aside.Weights.Any(tensor => tensor.Path.StartsWith(whole, StringComparison.Ordinal))
                ? $", which are not under {Excerpt.Quote(Key(whole))} as the others are (--weights FILE:{Excerpt.Plain(Key(whole))} leaves them out)"
                : "";
            throw Refuse($"the network has no {Excerpt.List([.. aside.Weights.Select(tensor => tensor.Name)])}{choice}, probably because the weights are of another architecture");
        }

        return new(found.Tensors, prefix, wrappers, aside);
    }

    /// <summary>Overwrites the parameters and buffers of the network.</summary>
    /// <param name="match">The tensors that fit.</param>
    /// <param name="tensors">Their numbers.</param>
    /// <param name="normalization">The preprocessing in use; null if it is not known.</param>
    /// <returns>Sentences about removed prefixes and tensors that were not used.</returns>
    /// <exception cref="BadInputException">Thrown when a weight is not finite.</exception>
    public IReadOnlyList<string> Fill(StateDictMatch match, IReadOnlyDictionary<StoredTensor, Tensor> tensors, Normalization? normalization)
    {
        using var withoutGradients = no_grad();
        var weights = match.Weights.Select(pair => (Slot: _slots[pair.Key], Weight: Convert(pair.Key, _slots[pair.Key], tensors[pair.Value]))).ToList();
        foreach (var (slot, weight) in weights)
        {
            slot.copy_(weight);
        }

        List<string> notes = [];
        if (match.Prefix.Length > 0)
        {
            notes.Add($"The names of the weights in {source} begin with {Excerpt.Quote(match.Prefix)}, which was removed.");
        }

        if (match.Wrappers)
        {
            notes.Add($"The names of the weights in {source} contain the names of wrapping modules ({string.Join(", ", Wrappers.Where(wrapper => match.Weights.Values.Any(tensor => tensor.Path.Split('.').Contains(wrapper, StringComparer.Ordinal))))}), which were removed.");
        }

        return [.. notes, .. match.Aside.Notes(tensors, source, normalization)];
    }

    // The tensors by the prefix before a name of the network.
    private List<Candidate> Candidates(List<(string Name, StoredTensor Tensor)> named)
    {
        var candidates = new OrderedDictionary<string, Candidate>(StringComparer.Ordinal) { [""] = new("") };
        var parts = _slots.Keys.Select(slot => slot.Split('.').Length).DefaultIfEmpty(0).Max();
        foreach (var (name, tensor) in named)
        {
            var start = name.Length;
            for (var part = 0; part < parts && start >= 0; part++)
            {
                start = start == 0 ? -1 : name.LastIndexOf('.', start - 1);
                if (!_slots.ContainsKey(name[(start + 1)..]))
                {
                    continue;
                }

                var prefix = name[..(start + 1)];
                if (!candidates.TryGetValue(prefix, out var candidate))
                {
                    candidates.Add(prefix, candidate = new(prefix));
                }

                // Two dictionaries that give the same name are as ambiguous as two prefixes.
                if (!candidate.Tensors.TryAdd(name[(start + 1)..], tensor))
                {
                    throw Refuse($"it contains {Excerpt.Quote(tensor.Path)} twice");
                }
            }
        }

        return [.. candidates.Values];
    }

    private bool IsComplete(Candidate candidate) => _slots.All(slot => candidate.Tensors.TryGetValue(slot.Key, out var tensor)
        ? slot.Value.shape.SequenceEqual(tensor.Shape) && IsConvertible(slot.Value, tensor)
        : IsBatchCounter(slot.Key));

    private Candidate? Only(List<Candidate> complete, string? key)
    {
        var found = (key is null ? null : complete.Find(candidate => candidate.Prefix.Length == 0)) ?? complete.MinBy(candidate => candidate.Prefix.Length);
        if (found is null || (key is not null && found.Prefix.Length == 0))
        {
            return found;
        }

        // Names that refer to the same numbers, such as those of one network in two modules.
        if (complete.TrueForAll(candidate => candidate.Tensors.All(pair => ReferenceEquals(candidate, found) || (found.Tensors.TryGetValue(pair.Key, out var same) && same.Place is { } place && place == pair.Value.Place))))
        {
            return found;
        }

        var keys = complete.ConvertAll(candidate => Key(Checkpoint.Beginning(key ?? "") + candidate.Prefix));
        throw new BadInputException(
            $"The weights in {source} must be one set that fits {module.GetName()}, but {keys.Count} sets fit, under the keys {Excerpt.List(keys)}; "
            + $"choose one with --weights FILE:KEY, for example --weights FILE:{Excerpt.Plain(keys[^1])}{(keys.Contains("", StringComparer.Ordinal) ? " (an empty KEY chooses the names without a prefix)" : "")}.");
    }

    // The reason why no candidate is complete, for the one that shares the most names with the network.
    private string Problem(List<Candidate> candidates, IReadOnlyList<StoredTensor> searched)
    {
        var best = candidates.MaxBy(candidate => (candidate.Tensors.Count, -candidate.Prefix.Length))!;
        var used = best.Tensors.Values.ToHashSet();
        var dictionaries = used.Select(tensor => tensor.Dictionary).ToHashSet(StringComparer.Ordinal);
        var missing = _slots.Keys.Where(name => !best.Tensors.ContainsKey(name) && !IsBatchCounter(name)).Select(name => best.Prefix + name).ToList();
        var unexpected = SetAsideTensors.Among(searched.Where(tensor => !used.Contains(tensor) && (used.Count == 0 || dictionaries.Contains(tensor.Dictionary))), _ => true, tensor => IsInside(tensor, best.Prefix)).Weights;
        var wrong = _slots.Where(slot => best.Tensors.TryGetValue(slot.Key, out var tensor) && !slot.Value.shape.SequenceEqual(tensor.Shape)).Select(slot => (Slot: slot.Value, Tensor: best.Tensors[slot.Key])).ToList();
        var parts = new List<string>();
        if (wrong.Count > 0)
        {
            var (slot, tensor) = wrong[0];
            parts.Add($"{Excerpt.Quote(tensor.Name)} has the shape {Excerpt.Shape(tensor.Shape)} where the network needs {Excerpt.Shape(slot.shape)}");
        }

        var names = new List<string>();
        if (missing.Count > 0)
        {
            names.Add($"it lacks {Excerpt.List(missing)}");
        }

        if (unexpected.Count > 0)
        {
            names.Add($"the network has no {Excerpt.List([.. unexpected.Select(tensor => tensor.Name)])}");
        }

        if (names.Count > 0)
        {
            parts.Add(string.Join(" and ", names));
        }

        if (parts.Count == 0)
        {
            var (name, slot) = _slots.First(slot => best.Tensors.TryGetValue(slot.Key, out var tensor) && !IsConvertible(slot.Value, tensor));
            return $"{Excerpt.Quote(best.Tensors[name].Name)} is of type {best.Tensors[name].Type} where the network needs {slot.dtype}";
        }

        return $"{string.Join("; ", parts)}, probably because the weights are of {(names.Count == 0 && Classes(wrong) is var (given, needed) && given >= 0 ? $"a network with {given} classes instead of {needed}" : "another architecture")}";
    }

    // The numbers of classes, if the wrong tensors are those of the last layer and differ only in their first size; otherwise -1.
    private (long Given, long Needed) Classes(List<(Tensor Slot, StoredTensor Tensor)> wrong)
    {
        var last = _slots[module.named_parameters().Last().name];
        return wrong.Exists(pair => ReferenceEquals(pair.Slot, last))
            && wrong.TrueForAll(pair => pair.Slot.shape.Length > 0 && pair.Slot.shape.Skip(1).SequenceEqual(pair.Tensor.Shape.Skip(1)))
            && wrong.Select(pair => (Given: pair.Tensor.Shape[0], Needed: pair.Slot.shape[0])).Distinct().ToList() is [var classes] ? classes : (-1, -1);
    }

    // The removed part of the names, without the keys of dictionaries and without what the user chose.
    private static string NamePrefix(string beginning, Candidate found, bool wrappers)
    {
        var whole = beginning + found.Prefix;
        var dictionary = Checkpoint.Beginning(found.Tensors.Values.FirstOrDefault()?.Dictionary ?? "");
        return wrappers || whole.StartsWith(dictionary, StringComparison.Ordinal) ? whole[Math.Min(whole.Length, Math.Max(beginning.Length, dictionary.Length))..] : "";
    }

    private Tensor Convert(string name, Tensor slot, Tensor weight)
    {
        var converted = weight.to(slot.dtype, slot.device);
        return !converted.is_floating_point() || converted.isfinite().all().item<bool>()
            ? converted
            : throw Refuse($"{Excerpt.Quote(name)} has a value that is not a finite number in {slot.dtype}");
    }

    private static bool IsConvertible(Tensor slot, StoredTensor tensor) => slot.dtype == tensor.Type || (slot.is_floating_point() && tensor.IsFloatingPoint);

    // A number inside a layer of the network, such as a learned factor, changes its outputs.
    private bool IsInside(StoredTensor tensor, string prefix) =>
        tensor.Path.StartsWith(prefix, StringComparison.Ordinal) && tensor.Path[prefix.Length..].Split('.') is [var layer, _, ..] && _layers.Contains(layer);

    private static bool IsBatchCounter(string name) =>
        name.EndsWith("." + BatchCounter, StringComparison.Ordinal) || string.Equals(name, BatchCounter, StringComparison.Ordinal);

    private static string Key(string prefix) => prefix.TrimEnd('.');

    private BadInputException Refuse(string reason) => new(
        $"The weights in {source} do not fit {module.GetName()}: {reason}; give weights of the same architecture with the same number of classes.");

    /// <summary>Tensors whose names are a prefix and a name of the network.</summary>
    /// <param name="prefix">The prefix with its dot; may be empty.</param>
    private sealed class Candidate(string prefix)
    {
        /// <summary>The prefix with its dot; may be empty.</summary>
        public string Prefix { get; } = prefix;

        /// <summary>The tensors by the names of the network.</summary>
        public Dictionary<string, StoredTensor> Tensors { get; } = new(StringComparer.Ordinal);
    }
}
