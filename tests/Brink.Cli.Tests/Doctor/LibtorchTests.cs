using System.Runtime.InteropServices;
using Brink.Cli.Inputs;

namespace Brink.Cli.Tests.Doctor;

/// <summary>Tests of <c>--libtorch</c>: a folder that can be used, and folders that are refused before anything of them is loaded.</summary>
public sealed class LibtorchTests : IDisposable
{
    // e_ident with class (4) and data (5), e_machine (18) of an ELF header.
    private const int Class = 4;
    private const int Machine = 18;

    private readonly TemporaryFolder _folder = new();

    public LibtorchTests() => Assert.SkipUnless(OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64, "needs Linux on x64");

    public void Dispose() => _folder.Dispose();

    /// <summary>A copy, because the loader of the system recognises a library by its file: two copies in one process end it.</summary>
    [Fact]
    [Trait("speed", "slow")]
    public async Task A_copy_of_libtorch_replaces_that_of_the_program()
    {
        Directory.CreateDirectory(_folder["torch/lib"]);
        var native = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native");
        foreach (var pattern in new[] { "libc10.so", "libtorch.so", "libtorch_cpu.so", "libgomp*" })
        {
            foreach (var file in Directory.GetFiles(native, pattern))
            {
                File.Copy(file, Path.Combine(_folder["torch/lib"], Path.GetFileName(file)));
            }
        }

        // The program must not say that it fits because of this text, but load it.
        File.WriteAllText(_folder["torch/version.py"], "__version__ = '2.11.0+cpu'\n");
        using var doctor = Invocation.Start("doctor", "--libtorch", _folder["torch"]);
        Assert.True(await doctor.ExitCodeAsync() == 0, doctor.Error);
        Assert.Contains($"2.11.0+cpu without CUDA loads from {_folder["torch/lib"]}", doctor.Output, StringComparison.Ordinal);
        using var attack = Invocation.Start("attack", "--limit", "2", "--quiet", "--threads", "1", "--libtorch", _folder.Path);
        Assert.True(await attack.ExitCodeAsync() == 0, attack.Error);
        Assert.Contains("fooled", attack.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_does_not_exist_is_refused() => AssertRefused(_folder["nowhere"], "does not exist");

    [Fact]
    public void A_file_is_refused() => AssertRefused(_folder.Write("file", [1]), "is a file");

    [Fact]
    public void A_folder_without_libtorch_is_refused()
    {
        Directory.CreateDirectory(_folder["empty"]);
        AssertRefused(_folder["empty"], "does not contain libtorch_cpu.so");
    }

    [Theory]
    [InlineData(2, 183, "is for the architecture arm64, but brink runs on x64")]
    [InlineData(1, 3, "is for the architecture x86, but brink runs on x64")]
    [InlineData(2, 243, "is for the architecture number 243, but brink runs on x64")]
    public void Libraries_of_another_architecture_are_refused(byte width, byte machine, string fragment)
    {
        var header = new byte[64];
        "\x7f\x45LF"u8.CopyTo(header);
        (header[Class], header[Machine]) = (width, machine);
        WriteLibraries(header);
        AssertRefused(_folder["lib"], fragment);
    }

    [Fact]
    public void A_file_that_is_no_library_is_refused()
    {
        WriteLibraries("MZ"u8.ToArray());
        AssertRefused(_folder["lib"], "is not a library of Linux");
    }

    [Fact]
    public void An_older_version_is_refused()
    {
        WriteLibraries(ElfHeader());
        File.WriteAllText(_folder["version.py"], "from typing import Optional\n__version__ = '1.13.0a0'\ndebug = False\n");
        AssertRefused(_folder["lib"], "version 2.10 or later, for which TorchSharp is built, but", "has version 1.13.0a0");
    }

    /// <summary>The self-test runs in another process, which the loader refuses.</summary>
    [Theory]
    [InlineData("2.99.0+cu200")]
    [InlineData(null)]
    public void A_library_that_does_not_load_is_refused(string? version)
    {
        WriteLibraries(ElfHeader());
        if (version is not null)
        {
            File.WriteAllText(_folder["build-version"], version);
        }

        AssertRefused(_folder["lib"], "does not work with TorchSharp, which is built for 2.10", version ?? "of unknown version");
    }

    [Fact]
    public void The_environment_variable_is_named_in_the_refusal()
    {
        var before = Environment.GetEnvironmentVariable(UserLibtorch.Variable);
        try
        {
            Environment.SetEnvironmentVariable(UserLibtorch.Variable, _folder["nowhere"]);
            Assert.Contains("environment variable BRINK_LIBTORCH needs a folder", Invocation.Of("attack", "--limit", "1").AssertRefused(), StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable(UserLibtorch.Variable, before);
        }
    }

    private static byte[] ElfHeader()
    {
        var header = new byte[64];
        "\x7f\x45LF"u8.CopyTo(header);
        (header[Class], header[Machine]) = (2, 62);
        return header;
    }

    private void WriteLibraries(byte[] content)
    {
        Directory.CreateDirectory(_folder["lib"]);
        foreach (var name in new[] { "c10", "torch_cpu", "torch" })
        {
            File.WriteAllBytes(Path.Combine(_folder["lib"], LibtorchFolder.FileName(name)), content);
        }
    }

    private static void AssertRefused(string folder, params string[] fragments)
    {
        var error = Invocation.Of("attack", "--limit", "1", "--libtorch", folder).AssertRefused();
        Assert.All(fragments, fragment => Assert.Contains(fragment, error, StringComparison.Ordinal));
    }
}
