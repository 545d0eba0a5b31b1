using TorchSharp;

namespace Brink.Cli;

/// <summary>Where torch computes.</summary>
internal static class ComputeDevice
{
    /// <summary>Sets the number of threads and finds the device.</summary>
    /// <exception cref="BadInputException">There is no such device, or the number of threads is not positive.</exception>
    public static torch.Device Set(string device, int? threads)
    {
        if (threads < 1)
        {
            throw new BadInputException($"The number of threads must be at least 1, but {threads} was given.");
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
