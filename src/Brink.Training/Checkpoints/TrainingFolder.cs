using System.Globalization;
using System.Text;
using System.Text.Json;
using Brink.Data;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>The folder of a training run: the checkpoint <c>checkpoint.safetensors</c>, the weights <c>last.safetensors</c> and <c>best.safetensors</c>, and the history <c>history.csv</c> and <c>history.png</c>.</summary>
/// <remarks>
/// The checkpoint is a single file with weights, velocities and position, so that it can be replaced atomically. All other files except the best
/// weights of an earlier epoch can be written again from the checkpoint.
/// </remarks>
public sealed class TrainingFolder
{
    /// <summary>The file name of the checkpoint.</summary>
    internal const string Checkpoint = "checkpoint.safetensors";

    /// <summary>The file name of the weights after the last finished epoch.</summary>
    internal const string Last = "last.safetensors";

    /// <summary>The file name of the weights after the best epoch, see <see cref="EpochRecord.BestOf"/>.</summary>
    internal const string Best = "best.safetensors";

    /// <summary>The file name of the history as a table.</summary>
    internal const string Table = "history.csv";

    /// <summary>The file name of the history as a figure.</summary>
    internal const string Figure = "history.png";

    private const string Weights = "weights/";
    private const string Velocity = "velocity/";
    private const string State = "state";
    private const string Settings = "settings";

    private readonly IReadOnlyDictionary<string, string> _settings;

    private readonly Func<IReadOnlyList<EpochRecord>, byte[]>? _drawHistory;

    private TrainingFolder(string folder, IReadOnlyDictionary<string, string> settings, Func<IReadOnlyList<EpochRecord>, byte[]>? drawHistory) =>
        (Folder, _settings, _drawHistory) = (folder, settings, drawHistory);

    /// <summary>The path of the folder.</summary>
    public string Folder { get; }

    private string CheckpointPath => Path.Combine(Folder, Checkpoint);

    /// <summary>Opens the folder of a new run or of a run to continue.</summary>
    /// <param name="folder">The path of the folder, which is created if it does not exist.</param>
    /// <param name="settings">The names and values of everything that the result depends on. A run is only continued with the settings that it was started with.</param>
    /// <param name="resume">Whether to continue the run in the folder, if there is one.</param>
    /// <param name="drawHistory">A function that draws the finished epochs as a PNG image, written to <c>history.png</c> after each epoch; null for no figure.</param>
    /// <returns>The folder, to pass to <see cref="Trainer.Run"/>.</returns>
    /// <exception cref="BadInputException">The folder cannot be created; it contains a run, and <paramref name="resume"/> is false; or the run has other settings.</exception>
    public static TrainingFolder Open(string folder, IReadOnlyDictionary<string, string> settings, bool resume, Func<IReadOnlyList<EpochRecord>, byte[]>? drawHistory = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(settings);
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new BadInputException($"A training run needs a folder, but '{folder}' cannot be created ({exception.Message.TrimEnd('.')}); give another folder.", exception);
        }

        var opened = new TrainingFolder(folder, settings, drawHistory);
        if (File.Exists(opened.CheckpointPath))
        {
            if (!resume)
            {
                throw new BadInputException($"The folder {folder} already contains a training run; add --resume to continue it, or delete the folder or give another one to start a new run.");
            }

            opened.CheckSettings();
        }

        foreach (var name in new[] { Checkpoint, Last, Best, Table, Figure })
        {
            AtomicFile.DiscardRemains(Path.Combine(folder, name));
        }

        return opened;
    }

    /// <summary>Reads the checkpoint: copies its weights into the network and its velocities into those of the optimiser.</summary>
    /// <param name="network">The network.</param>
    /// <param name="velocities">The velocities of the optimiser, by the names of the weights.</param>
    /// <returns>The position of the run; null if the folder has no checkpoint.</returns>
    /// <exception cref="BadInputException">The checkpoint is damaged, or belongs to another network.</exception>
    internal TrainingState? Load(nn.Module network, IReadOnlyDictionary<string, Tensor> velocities)
    {
        if (!File.Exists(CheckpointPath))
        {
            return null;
        }

        var state = ReadJson<TrainingState>(State);
        using var withoutGradients = no_grad();
        using var scope = NewDisposeScope();
        var tensors = Safetensors.Read(CheckpointPath);
        foreach (var (name, velocity) in velocities)
        {
            var stored = tensors.GetValueOrDefault(Velocity + name);
            if (stored is null || !stored.shape.SequenceEqual(velocity.shape) || stored.dtype != velocity.dtype)
            {
                throw Unusable($"the velocity of '{name}' is missing or has another shape or type");
            }

            velocity.copy_(stored);
        }

        StateDict.LoadInto(network, tensors.Where(tensor => tensor.Key.StartsWith(Weights, StringComparison.Ordinal)).ToDictionary(tensor => tensor.Key[Weights.Length..], tensor => tensor.Value, StringComparer.Ordinal), CheckpointPath);
        // A process that was killed between writing the checkpoint and the history leaves a history without the last epoch.
        WriteHistory(state);
        return state;
    }

    /// <summary>Writes the checkpoint and, at the end of an epoch, the weights and the history.</summary>
    /// <param name="network">The network.</param>
    /// <param name="velocities">The velocities of the optimiser, by the names of the weights.</param>
    /// <param name="state">The position of the run.</param>
    internal void Save(nn.Module network, IReadOnlyDictionary<string, Tensor> velocities, TrainingState state)
    {
        using var scope = NewDisposeScope();
        var weights = network.state_dict();
        if (state.Batch == 0 && state.History.Count > 0)
        {
            // Before the checkpoint: if the process is killed in between, the epoch is computed again and these files are written again.
            WriteWeights(weights, state);
        }

        var tensors = weights.Select(tensor => KeyValuePair.Create(Weights + tensor.Key, tensor.Value))
            .Concat(velocities.Select(tensor => KeyValuePair.Create(Velocity + tensor.Key, tensor.Value)))
            .ToDictionary(StringComparer.Ordinal);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [State] = JsonSerializer.Serialize(state),
            [Settings] = JsonSerializer.Serialize(_settings),
        };
        AtomicFile.Write(CheckpointPath, stream => Safetensors.Write(stream, tensors, metadata));
        if (state.Batch == 0)
        {
            WriteHistory(state);
        }
    }

    private void WriteWeights(IReadOnlyDictionary<string, Tensor> weights, TrainingState state)
    {
        AtomicFile.Write(Path.Combine(Folder, Last), stream => Safetensors.Write(stream, weights));
        if (EpochRecord.BestOf(state.History) == state.History[^1])
        {
            AtomicFile.Write(Path.Combine(Folder, Best), stream => Safetensors.Write(stream, weights));
        }
    }

    /// <summary>Writes the table and the figure, after the checkpoint: an error while writing them then does not lose the epoch.</summary>
    private void WriteHistory(TrainingState state)
    {
        if (state.History.Count == 0)
        {
            return;
        }

        AtomicFile.Write(Path.Combine(Folder, Table), stream => stream.Write(Encoding.UTF8.GetBytes(HistoryTable.Of(state.History))));
        if (_drawHistory is not null)
        {
            AtomicFile.Write(Path.Combine(Folder, Figure), stream => stream.Write(_drawHistory(state.History)));
        }
    }

    private void CheckSettings()
    {
        var stored = ReadJson<Dictionary<string, string>>(Settings);
        var differences = _settings.Keys.Union(stored.Keys, StringComparer.Ordinal)
            .Where(name => stored.GetValueOrDefault(name) != _settings.GetValueOrDefault(name))
            .Order(StringComparer.Ordinal)
            .Select(name => $"{Excerpt.Plain(name)} was {Excerpt.Plain(stored.GetValueOrDefault(name) ?? "not set")} and is {_settings.GetValueOrDefault(name) ?? "not set"}")
            .ToArray();
        if (differences.Length > 0)
        {
            // More would hide the rest of the message.
            const int shown = 5;
            differences = differences.Length > shown ? [.. differences.Take(shown), FormattableString.Invariant($"{differences.Length - shown} more")] : differences;
            throw new BadInputException($"The training run in {Folder} was started with other settings and cannot be continued ({string.Join("; ", differences)}); give the same settings or another folder.");
        }
    }

    private T ReadJson<T>(string name)
    {
        try
        {
            return Safetensors.ReadMetadata(CheckpointPath).TryGetValue(name, out var json) && JsonSerializer.Deserialize<T>(json) is { } value
                ? value
                : throw Unusable($"its header has no {name}");
        }
        catch (JsonException exception)
        {
            throw Unusable($"the {name} in its header cannot be read", exception);
        }
    }

    private BadInputException Unusable(string reason, Exception? cause = null) =>
        new($"The training run cannot be continued from the checkpoint {CheckpointPath}: {reason}; give another folder to start a new run.", cause);
}

/// <summary>The history of a training run as CSV (RFC 4180), one line per epoch.</summary>
internal static class HistoryTable
{
    /// <summary>Formats the history with a heading. Accuracies are between 0 and 1; a value that was not measured is an empty cell.</summary>
    /// <param name="history">The finished epochs.</param>
    /// <returns>The text of the table.</returns>
    public static string Of(IEnumerable<EpochRecord> history)
    {
        var table = new StringBuilder("epoch,loss,train_accuracy,held_out_accuracy,test_accuracy,learning_rate,batch_size,seconds,waiting,adversarial_share,eigenvalue\n");
        foreach (var epoch in history)
        {
            table.Append(CultureInfo.InvariantCulture, $"{epoch.Epoch},{epoch.Loss:G6},{epoch.TrainAccuracy:F4},{epoch.HeldOutAccuracy:F4},{epoch.TestAccuracy:F4},{epoch.LearningRate:G6},{epoch.BatchSize},{epoch.Seconds:F1},{epoch.Waiting:F4},{epoch.AdversarialShare:G6},{epoch.Eigenvalue:G6}\n");
        }

        return table.ToString();
    }
}
