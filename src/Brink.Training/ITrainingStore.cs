using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>Where a training keeps what it needs to go on after an interruption.</summary>
public interface ITrainingStore
{
    /// <summary>Puts the kept weights into the network and the kept velocities into theirs.</summary>
    /// <param name="network">The network.</param>
    /// <param name="velocities">The velocities of its weights, by name.</param>
    /// <returns>Where the training stands; null where nothing is kept yet.</returns>
    TrainingState? Load(nn.Module network, IReadOnlyDictionary<string, Tensor> velocities);

    /// <summary>Keeps all of it, whole or not at all.</summary>
    /// <param name="network">The network.</param>
    /// <param name="velocities">The velocities of its weights, by name.</param>
    /// <param name="state">Where the training stands.</param>
    void Save(nn.Module network, IReadOnlyDictionary<string, Tensor> velocities, TrainingState state);
}
