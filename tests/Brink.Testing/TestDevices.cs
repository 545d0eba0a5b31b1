using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Testing;

/// <summary>The devices of tests that run on the CPU everywhere, and on a GPU where there is one. Such tests have the trait <c>device=any</c>.</summary>
public static class TestDevices
{
    /// <summary>The name of the trait.</summary>
    public const string Trait = "device";

    /// <summary>The value of the trait.</summary>
    public const string Any = "any";

    /// <summary>Returns a device; skips the calling test with a message if the machine does not have it.</summary>
    /// <param name="name"><c>cpu</c> or <c>cuda</c>.</param>
    public static Device Require(string name)
    {
        if (name == "cpu")
        {
            return CPU;
        }

        // xunit treats an exception whose message starts with this prefix as a skip.
        return cuda.is_available() ? new Device(DeviceType.CUDA, 0) : throw new InvalidOperationException("$XunitDynamicSkip$needs an NVIDIA GPU and a libtorch with CUDA");
    }
}
