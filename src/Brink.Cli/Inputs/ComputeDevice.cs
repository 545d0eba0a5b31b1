using System.Globalization;
using TorchSharp;

namespace Brink.Cli.Inputs;

/// <summary>The device and the number of threads that torch computes with.</summary>
internal static class ComputeDevice
{
    // More threads than processors only cost time, and tens of thousands end the process before torch can report an error.
    private const int MostThreads = 1024;

    /// <summary>Sets the number of threads and the precision, and returns the device.</summary>
    /// <param name="device"><c>cpu</c>, <c>cuda</c>, or <c>cuda:</c> and the number of a GPU.</param>
    /// <param name="threads">The number of threads; null for one per processor.</param>
    /// <param name="tensorFloat32">True to allow TF32 in the search.</param>
    /// <exception cref="BadInputException">The device is not available, or the number of threads is out of range.</exception>
    public static torch.Device Set(string device, int? threads, bool tensorFloat32 = false)
    {
        if (threads is < 1 or > MostThreads)
        {
            throw new BadInputException(FormattableString.Invariant($"The number of threads must lie between 1 and {MostThreads}, but {threads} was given; this machine has {Environment.ProcessorCount} processors."));
        }

        torch.set_num_threads(threads ?? Environment.ProcessorCount);
        ForwardPass.AllowTensorFloat32 = tensorFloat32;
        TensorFloat32.SetProcess(allow: false);
        return Parse(device);
    }

    /// <summary>Returns the name of a device, as it is given on the command line.</summary>
    public static string Name(torch.Device device) => device switch
    {
        { type: DeviceType.CPU } => "cpu",
        { index: > 0 } => string.Create(CultureInfo.InvariantCulture, $"cuda:{device.index}"),
        _ => "cuda",
    };

    private static torch.Device Parse(string device)
    {
        if (device == "cpu")
        {
            return torch.CPU;
        }

        var number = 0;
        if (device != "cuda" && !(device.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(device.AsSpan("cuda:".Length), NumberStyles.None, CultureInfo.InvariantCulture, out number)))
        {
            throw new BadInputException($"The device must be cpu, cuda, or cuda: and the number of a GPU, such as cuda:1, but '{device}' was given.");
        }

        if (!torch.cuda.is_available())
        {
            throw new BadInputException($"The device {device} was requested, but {(TorchLibrary.HasCuda ? "libtorch finds no GPU on this machine; check with nvidia-smi, or use --device cpu" : "this libtorch is the one for the CPU; give that of a PyTorch with CUDA by --libtorch (brink doctor --find-libtorch looks for one), or use --device cpu")}.");
        }

        var count = torch.cuda.device_count();
        return number < count
            ? new torch.Device(DeviceType.CUDA, number)
            : throw new BadInputException(string.Create(CultureInfo.InvariantCulture, $"The device {device} was requested, but this machine has {count} {(count == 1 ? "GPU" : "GPUs")}, numbered from 0; choose another number."));
    }
}
