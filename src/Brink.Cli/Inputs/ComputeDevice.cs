using TorchSharp;

namespace Brink.Cli.Inputs;

/// <summary>Where torch computes.</summary>
internal static class ComputeDevice
{
    // More threads than processors only cost; tens of thousands take the process down before torch can say so.
    private const int MostThreads = 1024;

    /// <summary>Sets the number of threads and finds the device.</summary>
    /// <exception cref="BadInputException">There is no such device, or that number of threads cannot be had.</exception>
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
            "cuda" => throw new BadInputException("The device cuda was asked for, but this build of Brink sees none; build it with -p:Libtorch=cuda on a machine with a GPU, or use --device cpu."),
            _ => throw new BadInputException($"The device must be cpu or cuda, but '{device}' was given."),
        };
    }
}
