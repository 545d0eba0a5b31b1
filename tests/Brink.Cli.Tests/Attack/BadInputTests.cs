using Brink.Models;
using TorchSharp;

namespace Brink.Cli.Tests.Attack;

public sealed class BadInputTests : IDisposable
{
    private const int Cifar10Record = 3073;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("at least 1, but 0", "--limit", "0")]
    [InlineData("at least 1, but -1", "--limit", "-1")]
    [InlineData("--limit takes a whole number of at most 2147483647, but 'ten'", "--limit", "ten")]
    [InlineData("--limit takes a whole number of at most 2147483647, but '99999999999'", "--limit", "99999999999")]
    [InlineData("--limit takes a whole number of at most 2147483647, but '1.5'", "--limit", "1.5")]
    [InlineData("at least 0, but -1", "--skip", "-1")]
    [InlineData("max-passes must be a whole number of at least 1, but '0'", "--max-passes", "0")]
    [InlineData("max-passes must be a whole number of at least 1, but '-3'", "--max-passes", "-3")]
    [InlineData("--max-passes takes a whole number", "--max-passes", "few")]
    [InlineData("At most 1000000 signs", "--skip", "2147483647")]
    [InlineData("l2, linf or l1, but 'L2'", "--norm", "L2")]
    [InlineData("l2, linf or l1, but ''", "--norm", "")]
    [InlineData("l2, linf or l1, but 'l0'", "--norm", "l0")]
    [InlineData("The fast-gradient attack supports the norms l2 and linf, but l1", "--attack", "pgd", "--norm", "l1")]
    [InlineData("DeepFool supports the norms l2 and linf, but l1", "--attack", "deepfool", "--norm", "l1")]
    [InlineData("l2 only, but l1", "--attack", "cw", "--norm", "l1")]
    [InlineData("l2 and linf, but l1", "--preset", "authors", "--norm", "l1")]
    [InlineData("or a CSV file with the class of each image, but 'worst'", "--target", "worst")]
    [InlineData("or a CSV file with the class of each image, but '3.0'", "--target", "3.0")]
    [InlineData("10 classes of signs, 0 to 9, but 10", "--target", "10")]
    [InlineData("10 classes of signs, 0 to 9, but -1", "--target", "-1")]
    [InlineData("adaptive or a positive number such as 0.05, but '0'", "--radius", "0")]
    [InlineData("adaptive or a positive number such as 0.05, but '-0.1'", "--radius", "-0.1")]
    [InlineData("adaptive or a positive number such as 0.05, but 'NaN'", "--radius", "NaN")]
    [InlineData("adaptive or a positive number such as 0.05, but 'Infinity'", "--radius", "Infinity")]
    [InlineData("adaptive or a positive number such as 0.05, but '1e300'", "--radius", "1e300")]
    [InlineData("adaptive or a positive number such as 0.05, but '0,05'", "--radius", "0,05")]
    [InlineData("paper or authors, but 'fast'", "--preset", "fast")]
    [InlineData("at least 1, but 0", "--iterations", "0")]
    [InlineData("--iterations takes a whole number", "--iterations", "many")]
    [InlineData("gap or cross-entropy, but 'loss'", "--objective", "loss")]
    [InlineData("pixel or normalized, but 'raw'", "--space", "raw")]
    [InlineData("at least 1, but 0", "--batch-size", "0")]
    [InlineData("at least 1, but -64", "--batch-size", "-64")]
    [InlineData("--seed takes a whole number", "--seed", "0x10")]
    [InlineData("cpu, cuda, or cuda: and the number of a GPU, such as cuda:1, but 'tpu'", "--device", "tpu")]
    [InlineData("between 1 and 1024, but 0", "--threads", "0")]
    [InlineData("between 1 and 1024, but 1000000", "--threads", "1000000")]
    [InlineData("no attack named 'fsgm'", "--attack", "fsgm")]
    [InlineData("no attack named ''", "--attack", "")]
    [InlineData("does not end with a bracket", "--attack", "tr[overshoot=0.1")]
    [InlineData("key=value, but 'overshoot'", "--attack", "tr[overshoot]")]
    [InlineData("has no option 'overshot'; it has candidates", "--attack", "tr[overshot=0.1]")]
    [InlineData("gives overshoot twice", "--attack", "tr[overshoot=0.1,overshoot=0.2]")]
    [InlineData("overshoot must be a number such as 0.05, but '-inf'", "--attack", "tr[overshoot=-inf]")]
    [InlineData("at least 0, but -1", "--attack", "tr[overshoot=-1]")]
    [InlineData("must be true or false, but 'yes'", "--attack", "tr[whole-radius=yes]")]
    [InlineData("whole number, but '9.5'", "--attack", "tr[candidates=9.5]")]
    [InlineData("radius-unit must be ", "--attack", "tr[radius-unit=7]")]
    [InlineData("tr searches for the smallest perturbation and takes no epsilon", "--epsilon", "0.1")]
    [InlineData("cw searches for the smallest perturbation and takes no epsilon", "--attack", "cw[epsilon=0.1]")]
    [InlineData("epsilon must be a positive number, but 0", "--attack", "pgd", "--epsilon", "0")]
    [InlineData("epsilon must be a number such as 0.05, but 'NaN'", "--attack", "pgd", "--epsilon", "NaN")]
    [InlineData("ends a search that an epsilon replaces", "--attack", "ifgsm[epsilon=0.1,tolerance=0.1]")]
    [InlineData("epsilon of pgd must be below 1, the L∞ width of the space of pixels from 0 to 1, within which every image lies, but 8 was given; if grey levels were meant, write 8/255", "--attack", "pgd", "--epsilon", "8")]
    [InlineData("epsilon of fgsm must be below 55.43, the L2 width", "--attack", "fgsm[norm=l2,epsilon=128]")]
    [InlineData("--at or --require must be below 1", "--norm", "linf", "--at", "4/255,4")]
    [InlineData("--at or --require must be below 1", "--norm", "linf", "--require", "accuracy@8>=0.5")]
    [InlineData("L∞ width of the normalised input space", "--norm", "linf", "--space", "normalized", "--at", "8")]
    [InlineData("tolerance must be a positive number, but -1", "--attack", "fgsm[tolerance=-1]")]
    [InlineData("use pgd, or 1 restart", "--attack", "ifgsm[restarts=3]")]
    [InlineData("seed must be a whole number, but 'x'", "--attack", "pgd[seed=x]")]
    [InlineData("Carlini–Wagner supports the norm l2 only, but linf", "--attack", "cw", "--norm", "linf")]
    [InlineData("cw has no option 'radius'", "--attack", "cw", "--radius", "0.1")]
    [InlineData("must be best or hardest", "--attack", "deepfool", "--target", "untargeted")]
    [InlineData("both --mean and --std, but only --mean", "--mean", "0,0,0")]
    [InlineData("both --mean and --std, but only --std", "--std", "1,1,1")]
    [InlineData("--mean takes numbers separated by commas", "--mean", "a,b,c", "--std", "1,1,1")]
    [InlineData("--std takes numbers separated by commas", "--mean", "0,0,0", "--std", "1;1;1")]
    [InlineData("as many means as standard deviations", "--mean", "0,0,0", "--std", "1,1")]
    [InlineData("--mean takes numbers separated by commas", "--mean", "NaN,0,0", "--std", "1,1,1")]
    [InlineData("mean must lie between", "--mean", "1e300,0,0", "--std", "1,1,1")]
    [InlineData("standard deviation must lie between", "--mean", "0,0,0", "--std", "1,0,1")]
    [InlineData("standard deviation must lie between", "--mean", "0,0,0", "--std", "1,-1,1")]
    [InlineData("images have 3 channels", "--mean", "0,0", "--std", "1,1", "--limit", "2")]
    [InlineData("images have 3 channels", "--mean", "0,0", "--std", "1,1", "--limit", "2", "--space", "normalized")]
    [InlineData("add --data", "--model", "resnet20")]
    [InlineData("add --model", "--data", "cifar10:x")]
    [InlineData("no model named 'resnet21'; choose one of signs, resnet20", "--model", "resnet21", "--data", "signs")]
    [InlineData("resnet20 needs weights", "--model", "resnet20", "--data", "signs")]
    [InlineData("no data set named 'mnist'", "--model", "signs", "--data", "mnist")]
    [InlineData("use cifar10:PATH", "--model", "signs", "--data", "cifar10")]
    [InlineData("the path is empty", "--weights", "")]
    [InlineData("empty name", "--out", "")]
    public void Invalid_flags_are_refused(string fragment, params string[] flags) =>
        Assert.Contains(fragment, Invocation.Of(["attack", .. flags.Contains("--limit") ? flags : [.. flags, "--limit", "2"]]).AssertRefused(), StringComparison.Ordinal);

    [Fact]
    public void An_unavailable_device_is_refused()
    {
        Assert.SkipWhen(torch.cuda.is_available(), "needs a machine without a GPU");
        Assert.Contains("use --device cpu", Invocation.Of("attack", "--device", "cuda").AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_data_is_named() => AssertDataRefused(_folder["nowhere.bin"], "nowhere.bin");

    [Fact]
    public void Empty_data_is_refused() => AssertDataRefused(_folder.Write("empty.bin", []), "is empty");

    [Fact]
    public void Data_of_the_wrong_length_is_refused() => AssertDataRefused(_folder.Write("short.bin", new byte[(2 * Cifar10Record) - 1]), "has 6145 bytes");

    [Fact]
    public void A_label_out_of_range_is_refused()
    {
        var images = new byte[2 * Cifar10Record];
        images[Cifar10Record] = 12;
        AssertDataRefused(_folder.Write("label.bin", images), "image 1");
    }

    [Fact]
    public void Skipping_all_images_is_refused()
    {
        var error = Invocation.Of("attack", "--model", "signs", "--data", $"cifar10:{_folder.Write("two.bin", new byte[2 * Cifar10Record])}", "--skip", "2").AssertRefused();
        Assert.Contains("has 2 images, so none are left after skipping 2", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_weights_are_named() => AssertWeightsRefused(_folder["nowhere.pt"], "does not exist");

    [Fact]
    public void Empty_weights_are_refused() => AssertWeightsRefused(_folder.Write("empty.pt", []), "it is empty");

    [Fact]
    public void A_text_file_as_checkpoint_is_refused() => AssertWeightsRefused(_folder.Write("text.pt", "epoch,loss\n1,2.3\n"u8.ToArray()), "it is text");

    [Fact]
    public void A_folder_as_checkpoint_is_refused()
    {
        Directory.CreateDirectory(_folder["weights"]);
        AssertWeightsRefused(_folder["weights"], "is a folder");
    }

    [Fact]
    public void A_pickle_that_names_a_function_is_not_executed() => AssertWeightsRefused(Fixture("hostile_zip.pt"), "refers to os.system");

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(0.99)]
    public void A_truncated_checkpoint_is_refused(double share)
    {
        var whole = File.ReadAllBytes(Fixture("checkpoint_zip.pt"));
        AssertWeightsRefused(_folder.Write("cut.pt", whole[..(int)(share * whole.Length)]), "cut.pt");
        var tensors = File.ReadAllBytes(SampleWeights(_ => { }));
        AssertWeightsRefused(_folder.Write("cut.safetensors", tensors[..(int)(share * tensors.Length)]), "cut.safetensors");
    }

    [Fact]
    public void A_corrupted_checkpoint_is_refused()
    {
        var bytes = File.ReadAllBytes(Fixture("checkpoint_zip.pt"));
        new Random(1).NextBytes(bytes.AsSpan(0, bytes.Length / 2));
        AssertWeightsRefused(_folder.Write("broken.pt", bytes), "broken.pt");
    }

    [Fact]
    public void Weights_of_another_architecture_are_refused()
    {
        var weights = SampleWeights(_ => { });
        var error = Invocation.Of("attack", "--model", "resnet20", "--data", "signs", "--weights", weights).AssertRefused();
        Assert.Contains("do not fit", error, StringComparison.Ordinal);
        Assert.Contains("give weights of the same architecture", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_of_another_shape_are_refused() =>
        AssertWeightsRefused(SampleWeights(weights => weights["fc.weight"] = torch.zeros(100, weights["fc.weight"].shape[1])), "'fc.weight' has the shape [100, ");

    [Fact]
    public void Weights_that_are_not_finite_are_refused() =>
        AssertWeightsRefused(SampleWeights(weights => weights["fc.bias"] = torch.full([10], float.NaN)), "'fc.bias' has a value that is not a finite number");

    [Fact]
    public void A_file_as_output_folder_is_refused()
    {
        var file = _folder.Write("results", [1]);
        Assert.Contains("but the file ", AssertOutRefused(file), StringComparison.Ordinal);
        Assert.Equal([1], File.ReadAllBytes(file));
    }

    [Fact]
    public void A_folder_below_a_file_is_refused() => AssertOutRefused(Path.Combine(_folder.Write("file", []), "results"));

    [Fact]
    public void A_read_only_folder_is_refused_before_the_attack()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs /proc");
        Assert.Contains("/proc is not writable", AssertOutRefused("/proc"), StringComparison.Ordinal);
        AssertOutRefused("/proc/results");
        AssertOutRefused("/dev/full");
    }

    [Fact]
    public void A_folder_name_that_is_too_long_is_refused() => AssertOutRefused(_folder[new string('x', 5000)]);

    [Fact]
    public void Invalid_input_creates_no_folder()
    {
        Invocation.Of("attack", "--out", _folder["results"], "--target", "10", "--limit", "0").AssertRefused();
        Assert.False(Directory.Exists(_folder["results"]));
    }

    private static string Fixture(string name) => Path.Combine(AppContext.BaseDirectory, "Fixtures", name);

    private static void AssertDataRefused(string file, string fragment) =>
        Assert.Contains(fragment, Invocation.Of("attack", "--model", "signs", "--data", $"cifar10:{file}").AssertRefused(), StringComparison.Ordinal);

    private static void AssertWeightsRefused(string file, string fragment) =>
        Assert.Contains(fragment, Invocation.Of("attack", "--weights", file, "--limit", "2").AssertRefused(), StringComparison.Ordinal);

    private static string AssertOutRefused(string folder)
    {
        var invocation = Invocation.Of("attack", "--out", folder, "--limit", "2");
        return invocation.AssertRefused();
    }

    /// <summary>The embedded network's weights with a change, as a file.</summary>
    private string SampleWeights(Action<Dictionary<string, torch.Tensor>> change)
    {
        using var scope = torch.NewDisposeScope();
        using var model = ModelCatalog.Load("signs", null);
        var weights = new Dictionary<string, torch.Tensor>(model.Module.state_dict(), StringComparer.Ordinal);
        change(weights);
        var path = _folder["changed.safetensors"];
        using var stream = File.Create(path);
        Safetensors.Write(stream, weights);
        return path;
    }
}
