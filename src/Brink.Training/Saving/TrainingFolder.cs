using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Brink.Data;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>The folder of one training: <c>checkpoint.safetensors</c> to go on from, the weights <c>last.safetensors</c> and <c>best.safetensors</c>, and the history as <c>history.csv</c> and <c>history.png</c>.</summary>
/// <remarks>The checkpoint is one file, weights, velocities and position together, so that it is whole or not there. Every other file can be made again from it, but the best weights of an earlier epoch.</remarks>
public sealed class TrainingFolder : ITrainingStore
{
    /// <summary>The checkpoint.</summary>
    public const string Checkpoint = "checkpoint.safetensors";

    /// <summary>The weights after the last finished epoch.</summary>
    public const string Last = "last.safetensors";

    /// <summary>The weights after the best epoch, see <see cref="TrainingState.Best"/>.</summary>
    public const string Best = "best.safetensors";

    /// <summary>The epochs as a table.</summary>
    public const string Table = "history.csv";

    /// <summary>The epochs as a figure.</summary>
    public const string Figure = "history.png";

    private const string Weights = "weights/";
    private const string Velocity = "velocity/";
    private const string State = "state";
    private const string Settings = "settings";

    private readonly IReadOnlyDictionary<string, string> _settings;

    private readonly Func<IReadOnlyList<EpochRecord>, byte[]>? _drawHistory;

    private TrainingFolder(string folder, IReadOnlyDictionary<string, string> settings, Func<IReadOnlyList<EpochRecord>, byte[]>? drawHistory) =>
        (Folder, _settings, _drawHistory) = (folder, settings, drawHistory);

    /// <summary>The folder.</summary>
    public string Folder { get; }

    private string CheckpointPath => Path.Combine(Folder, Checkpoint);

    /// <summary>Opens a folder for a training.</summary>
    /// <param name="folder">The folder; created where it does not exist.</param>
    /// <param name="settings">All that the outcome depends on, by name: a training is continued only with the settings it was begun with.</param>
    /// <param name="resume">Whether to continue the training that the folder holds, if any.</param>
    /// <param name="drawHistory">Draws <see cref="Figure"/> as PNG from the finished epochs; null to write no figure.</param>
    /// <exception cref="BadInputException">The folder cannot be written to; it holds a training and is not to be resumed, or is and has other settings.</exception>
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
            throw new BadInputException($"A training is kept in a folder, but '{folder}' cannot be made ({exception.Message.TrimEnd('.')}); give another.", exception);
        }

        var opened = new TrainingFolder(folder, settings, drawHistory);
        if (File.Exists(opened.CheckpointPath))
        {
            if (!resume)
            {
                throw new BadInputException($"The folder {folder} holds a training already; add --resume to continue it, or delete it or give another to start anew.");
            }

            opened.CheckSettings();
        }

        foreach (var name in new[] { Checkpoint, Last, Best, Table, Figure })
        {
            AtomicFile.DiscardRemains(Path.Combine(folder, name));
        }

        return opened;
    }

    /// <summary>SHA-256 of images, by which a training knows them again whatever they are called.</summary>
    /// <param name="images">The images.</param>
    public static string Fingerprint(ImagePool images)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> label = stackalloc byte[sizeof(long)];
        for (var index = 0; index < images.Count; index++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(label, images.Label(index));
            hash.AppendData(label);
            hash.AppendData(images.Pixels(index));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <inheritdoc/>
    public TrainingState? Load(nn.Module network, IReadOnlyDictionary<string, Tensor> velocities)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(velocities);
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
            var kept = tensors.GetValueOrDefault(Velocity + name);
            if (kept is null || !kept.shape.SequenceEqual(velocity.shape) || kept.dtype != velocity.dtype)
            {
                throw Unusable($"it lacks the velocity of '{name}' or has it in another shape or type");
            }

            velocity.copy_(kept);
        }

        StateDict.LoadInto(network, tensors.Where(tensor => tensor.Key.StartsWith(Weights, StringComparison.Ordinal)).ToDictionary(tensor => tensor.Key[Weights.Length..], tensor => tensor.Value, StringComparer.Ordinal), CheckpointPath);
        // Killed between the checkpoint and them, they would lack its last epoch.
        WriteHistory(state);
        return state;
    }

    /// <inheritdoc/>
    public void Save(nn.Module network, IReadOnlyDictionary<string, Tensor> velocities, TrainingState state)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(velocities);
        ArgumentNullException.ThrowIfNull(state);
        using var scope = NewDisposeScope();
        var weights = network.state_dict();
        if (state.Batch == 0 && state.History.Count > 0)
        {
            // Before the checkpoint that counts the epoch as done: killed in between, the epoch is computed again and they are written again.
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
        if (state.Best == state.History[^1])
        {
            AtomicFile.Write(Path.Combine(Folder, Best), stream => Safetensors.Write(stream, weights));
        }
    }

    /// <summary>The table and the figure, which can always be made again: after the checkpoint, so that nothing that goes wrong with them costs an epoch.</summary>
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
        var kept = ReadJson<Dictionary<string, string>>(Settings);
        var differences = _settings.Keys.Union(kept.Keys, StringComparer.Ordinal)
            .Where(name => kept.GetValueOrDefault(name) != _settings.GetValueOrDefault(name))
            .Order(StringComparer.Ordinal)
            .Select(name => $"{name} was {kept.GetValueOrDefault(name) ?? "not set"} and is {_settings.GetValueOrDefault(name) ?? "not set"}")
            .ToArray();
        if (differences.Length > 0)
        {
            throw new BadInputException($"The folder {Folder} holds a training with other settings, which this one cannot continue ({string.Join("; ", differences)}); give the same settings or another folder.");
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
        new($"The checkpoint {CheckpointPath} cannot be continued: {reason}; give another folder to start anew.", cause);
}
