using TorchSharp;

namespace Brink.Cli.Inputs;

/// <summary>The device and the number of threads that torch computes with.</summary>
internal static class ComputeDevice
{
    // More threads than processors only cost time, and tens of thousands end the process before torch can report an error.
    private const int MostThreads = 1024;

    /// <summary>Sets the number of threads and returns the device.</summary>
    /// <param name="device"><c>cpu</c> or <c>cuda</c>.</param>
    /// <param name="threads">The number of threads; null for one per processor.</param>
    /// <exception cref="BadInputException">The device is not available, or the number of threads is out of range.</exception>
    public static torch.Device Set(string device, int? threads)
    {
        if (threads is < 1 or > MostThreads)
        {
            throw new BadInputException(FormattableString.Invariant($"The number of threads must lie between 1 and {MostThreads}, but {threads} was given; this machine has {Environment.ProcessorCount} processors."));
        }

        torch.set_num_threads(threads ?? Environment.ProcessorCount);
        return device switch
        {
            "cpu" => torch.CPU,
            "cuda" when torch.cuda.is_available() => torch.CUDA,
            "cuda" => throw new BadInputException("The device cuda was requested, but this build of Brink finds no GPU; build it with -p:Libtorch=cuda on a machine with a GPU, or use --device cpu."),
            _ => throw new BadInputException($"The device must be cpu or cuda, but '{device}' was given."),
        };
    }
}
