using System.IO.Compression;
using Brink.Models.Architectures;
using static TorchSharp.torch;

namespace Brink.Models.Tests.Checkpoints;

public sealed class StateDictTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("checkpoint_legacy.pt", "module.weight, module.bias")]
    [InlineData("checkpoint_zip.pt", "module.weight, module.bias")]
    [InlineData("by_hand.safetensors", "a, b")]
    public void The_format_is_detected_from_the_content_and_not_from_the_extension(string fixture, string names)
    {
        using var scope = NewDisposeScope();
        foreach (var extension in new[] { ".pt", ".pkl", ".safetensors", ".txt", "" })
        {
            var path = _folder["weights" + extension];
            File.Copy(Fixture.PathOf(fixture), path, overwrite: true);
            Assert.Equal(names, string.Join(", ", StateDict.Read(path).Keys));
        }
    }

    public static TheoryData<byte[], string> OtherFiles { get; } = new()
    {
        { [], "it is empty" },
        { "version https://git-lfs.github.com/spec/v1\noid sha256:0"u8.ToArray(), "it is text, beginning with 'version https://git-lfs" },
        { [.. new byte[257], .. "ustar\000"u8, .. new byte[249]], "it is a tar archive" },
        { [8, 7, 0x12, 7, .. "pytorch"u8, 0x1a, 4, .. "1.13"u8, 0x3a, 16], "it is an ONNX model" },
        { [0x1f, 0x8b, 8, 0], "compressed with gzip" },
        { [0x89, (byte)'H', (byte)'D', (byte)'F', 0, 1, 2, 3, 4], "other binary data, beginning with the bytes 8948444600010203" },
        { Pickle.Of(Pickle.EmptyDictionary), "it is a pickle, but not one that torch.save wrote" },
        { Zip.Of(CompressionLevel.NoCompression, ("x.npy", [1])), "one data.pkl in a folder, but this one has 0, and its entries are 'x.npy'" },
        { Zip.Of(CompressionLevel.NoCompression), "its entries are none" },
    };

    [Theory, MemberData(nameof(OtherFiles))]
    public void Another_file_is_refused_with_a_description(byte[] content, string reason)
    {
        var path = _folder["weights.pt"];
        File.WriteAllBytes(path, content);
        AssertSentence(reason, Assert.Throws<BadInputException>(() => StateDict.Read(path)), path);
    }

    // The length 640 is written as the bytes that begin a pickle of protocol 2.
    [Fact]
    public void A_safetensors_header_of_640_bytes_is_not_taken_for_a_pickle()
    {
        using var scope = NewDisposeScope();
        using var file = new MemoryStream();
        Safetensors.Write(file, new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["w"] = ones(2) }, new Dictionary<string, string>(StringComparer.Ordinal) { ["padding"] = new('x', 640 - 90) });
        Assert.Equal([0x80, 2, 0, 0, 0, 0, 0, 0], file.ToArray()[..8]);
        File.WriteAllBytes(_folder["weights"], file.ToArray());
        TensorAssert.Same(ones(2), StateDict.Read(_folder["weights"])["w"]);
    }

    [Fact]
    public void TorchScript_is_refused_as_TorchScript() =>
        AssertSentence("is TorchScript", Assert.Throws<BadInputException>(() => StateDict.Read(Fixture.PathOf("torchscript.pt"))), "torchscript.pt");

    [Fact]
    public void A_pipe_and_a_device_are_refused_without_reading_them()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("needs the special files of Unix");
        }

        using var folder = new TemporaryFolder();
        System.Diagnostics.Process.Start("mkfifo", [folder["pipe"]]).WaitForExit();
        File.CreateSymbolicLink(folder["link"], folder["pipe"]);
        // Shells give such a path to a command for <(…).
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream(System.IO.Pipes.PipeDirection.Out);
        var open = $"/proc/self/fd/{pipe.ClientSafePipeHandle.DangerousGetHandle()}";
        string[] paths = [folder["pipe"], folder["link"], "/dev/zero", .. OperatingSystem.IsLinux() ? [open] : Array.Empty<string>()];
        Assert.All(paths, path => Assert.Contains("a pipe or a device", Assert.Throws<BadInputException>(() => StateDict.Read(path)).Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Files_that_cannot_be_opened_are_refused()
    {
        var missing = _folder["missing.pt"];
        AssertSentence("does not exist", Assert.Throws<BadInputException>(() => StateDict.Read(missing)), missing);
        AssertSentence("does not exist", Assert.Throws<BadInputException>(() => StateDict.Read(Path.Combine(missing, "deeper.pt"))), missing);
        AssertSentence("is a folder", Assert.Throws<BadInputException>(() => StateDict.Read(_folder.Path)), _folder.Path);
        AssertSentence("the path is empty", Assert.Throws<BadInputException>(() => StateDict.Read("")), "");
        AssertSentence("failed", Assert.Throws<BadInputException>(() => StateDict.Read("weights\0.pt")), "");
    }

    [Fact]
    public void A_file_without_permission_is_refused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && !Environment.IsPrivilegedProcess, "needs an ordinary user on Linux: root may read everything");
        var path = _folder["secret.pt"];
        File.WriteAllBytes(path, [1]);
        if (OperatingSystem.IsLinux())
        {
            File.SetUnixFileMode(path, UnixFileMode.None);
        }

        AssertSentence("was denied", Assert.Throws<BadInputException>(() => StateDict.Read(path)), path);
    }

    [Fact]
    public void The_weights_of_the_papers_authors_fit_ResNet_20()
    {
        using var scope = NewDisposeScope();
        using var network = new CifarResNet();
        var path = SharedFiles.DataFile("weights", "resnet20_cifar10_authors.pkl");
        var tensors = StateDict.Read(path);
        StateDict.LoadInto(network, tensors, path);
        foreach (var (name, slot) in network.state_dict())
        {
            TensorAssert.Same(tensors["module." + name], slot);
        }
    }

    private static void AssertSentence(string reason, BadInputException exception, string name)
    {
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
        Assert.Contains(name, exception.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", exception.Message, StringComparison.Ordinal);
    }
}
