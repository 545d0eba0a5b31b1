using static TorchSharp.torch;

namespace Brink.Models.Tests.TorchScript;

/// <summary>Networks that return something other than float32 logits for any batch.</summary>
public sealed class TorchScriptOutputTests : IDisposable
{
    private const int Classes = TorchScriptFile.Classes;
    private const int Features = 48;

    private const string NamedTuple = "class Out(NamedTuple):\n  rows : Tensor\n  scores : Tensor\n";

    private static readonly long[] Shape = [3, 4, 4];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Tuple[Tensor, Tensor]", "return (torch.mean(x, [3]), z)", "'1'")]
    [InlineData("Tuple[Tensor]", "return (z,)", "'0'")]
    [InlineData("List[Tensor]", "return [torch.mean(x, [3]), z]", "'1'")]
    [InlineData("Dict[str, Tensor]", "return {\"rows\": torch.mean(x, [3]), \"scores\": z}", "'scores'")]
    [InlineData("Dict[str, List[Tensor]]", "return {\"a\": [torch.mean(x, [3])], \"b\": [z]}", "'b.0'")]
    [InlineData("List[Dict[str, Tensor]]", "return [{\"rows\": torch.mean(x, [3])}, {\"scores\": z}]", "'1.scores'")]
    [InlineData("Tuple[int, Tuple[Tensor, Tuple[Tensor, str]], Optional[Tensor]]", "return (3, (torch.mean(x, [3]), (z, \"text\")), None)", "'1.1.0'")]
    [InlineData("Tuple[Tensor, Tensor]", "return (torch.argmax(z, 1), z)", "'1'")]
    [InlineData("__torch__.Out", "return __torch__.Out(torch.mean(x, [3]), z)", "'scores'")]
    [InlineData("Dict[str, Tensor]", "return {\"features\": torch.relu(z), \"logits\": z}", "'logits'")]
    public void The_tensor_of_logits_is_found_in_the_result(string type, string code, string output)
    {
        using var scope = NewDisposeScope();
        using var loaded = TorchScriptModel.Load(Write(type, code, otherClasses: NamedTuple), Shape);
        Assert.Equal(Classes, loaded.ClassCount);
        Assert.Contains(output, Assert.Single(loaded.Warnings), StringComparison.Ordinal);
        AssertLinear(loaded, batch: 3);
    }

    [Fact]
    public void The_name_of_the_network_in_its_method_is_free()
    {
        using var scope = NewDisposeScope();
        using var loaded = TorchScriptModel.Load(TorchScriptFile.Write(_folder["net.pt"], Features, "Tuple[Tensor, str]", "return (z, \"text\")", self: "this"), Shape);
        AssertLinear(loaded, batch: 3);
    }

    [Fact]
    public void Two_outputs_that_could_be_logits_need_a_choice()
    {
        using var scope = NewDisposeScope();
        var path = Write("Dict[str, Tensor]", "return {\"main\": z, \"other\": torch.neg(z)}");
        Assert.Contains("'main' of shape [batch, 10], 'other'", Refused(path), StringComparison.Ordinal);
        foreach (var output in new[] { "main", "0" })
        {
            using var loaded = TorchScriptModel.Load(path, Shape, output: output);
            Assert.Empty(loaded.Warnings);
            AssertLinear(loaded, batch: 3);
        }

        var unknown = Assert.Throws<BadInputException>(() => TorchScriptModel.Load(path, Shape, output: "last"));
        Assert.Contains("no output 'last'", unknown.Message, StringComparison.Ordinal);
        var needless = Assert.Throws<BadInputException>(() => TorchScriptModel.Load(Write("Tensor", "return z"), Shape, output: "main"));
        Assert.Contains("single tensor", needless.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_number_of_classes_of_the_images_decides_between_outputs_of_different_sizes()
    {
        using var scope = NewDisposeScope();
        var path = Write("Tuple[Tensor, Tensor]", "return (torch.mean(x, [2, 3]), z)");
        Assert.Contains("--output", Refused(path), StringComparison.Ordinal);
        using var loaded = TorchScriptModel.Load(path, new TorchScriptRequest { ImageShape = Shape, ClassCount = Classes }, null);
        AssertLinear(loaded, batch: 2);
    }

    [Theory]
    [InlineData("return torch.select(z, 1, 0)", "a logit")]
    [InlineData("return torch.slice(z, 1, 0, 1)", "a logit")]
    [InlineData("return torch.sigmoid(torch.select(z, 1, 0))", "a probability")]
    [InlineData("return torch.sigmoid(torch.slice(z, 1, 0, 1))", "a probability")]
    public void One_output_becomes_the_logits_of_two_classes(string code, string meaning)
    {
        using var scope = NewDisposeScope();
        using var loaded = TorchScriptModel.Load(Write("Tensor", code), Shape);
        Assert.Equal(2, loaded.ClassCount);
        Assert.Contains(meaning, Assert.Single(loaded.Warnings), StringComparison.Ordinal);
        using var images = rand(5, 3, 4, 4, generator: new Generator(1)).requires_grad_(true);
        var logits = loaded.Module.call(images);
        var expected = Linear(loaded, images)[.., 0];
        Assert.Equal([5L, 2], logits.shape);
        Assert.True(logits[.., 0].eq(0).all().item<bool>());
        Assert.True(logits[.., 1].allclose(expected, rtol: 1e-3, atol: 1e-4));
        logits[.., 1].sum().backward();
        Assert.True(images.grad!.flatten(1).allclose(loaded.Module.state_dict()["weight"][0].expand(5, Features), rtol: 1e-3, atol: 1e-4));

        // A saturated probability has a finite logit.
        var extreme = loaded.Module.call(images.detach() * 1e6);
        Assert.True(extreme.isfinite().all().item<bool>());
    }

    [Theory]
    [InlineData("HalfStorage", "half precision", 1e-2)]
    [InlineData("BFloat16Storage", "bfloat16", 5e-2)]
    public void Images_are_converted_to_the_type_of_the_network_and_logits_and_gradients_back(string storage, string text, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var loaded = TorchScriptModel.Load(Write("Tensor", "return z", storage: storage), Shape);
        Assert.Contains(text, Assert.Single(loaded.Warnings), StringComparison.Ordinal);
        using var images = rand(3, 3, 4, 4, generator: new Generator(1)).requires_grad_(true);
        var logits = loaded.Module.call(images);
        Assert.Equal(ScalarType.Float32, logits.dtype);
        Assert.True(logits.allclose(Linear(loaded, images), rtol: tolerance, atol: tolerance));
        logits.sum().backward();
        Assert.Equal(ScalarType.Float32, images.grad!.dtype);
        Assert.True(images.grad.flatten(1).abs().sum(1).gt(0).all().item<bool>());
    }

    [Theory]
    [InlineData(1, "one image at a time")]
    [InlineData(4, "batches of 4 images")]
    public void A_batch_size_that_is_fixed_in_the_code_is_kept(int size, string text)
    {
        using var scope = NewDisposeScope();
        using var loaded = TorchScriptModel.Load(Write("Tensor", "return z", before: $"x = torch.view(x, [{size}, 3, 4, 4])"), Shape);
        Assert.Contains(text, Assert.Single(loaded.Warnings), StringComparison.Ordinal);
        foreach (var batch in new[] { 1, 4, 6 })
        {
            AssertLinear(loaded, batch);
        }
    }

    [Fact]
    public void Images_with_another_number_of_channels_are_refused_by_that_number()
    {
        var path = Write("Tensor", "return z", features: 16);
        Assert.Contains("takes images with 1 channel, but the images have 3 channels", Refused(path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("return {\"a\": 1.5}", "Dict[str, float]", "returned no tensor")]
    [InlineData("return torch.mean(x, [3])", "Tensor", "returned [2, 3, 4]")]
    [InlineData("return \"a\"", "str", "returned no tensor")]
    [InlineData("return torch.to_sparse(z)", "Tensor", "a sparse one")]
    [InlineData("return (torch.mean(x, [3]), torch.mean(x, [2]))", "Tuple[Tensor, Tensor]", "tensors of other shapes ([2, 3, 4], [2, 3, 4])")]
    [InlineData("ops.prim.RaiseException(\"the images must be larger\", \"builtins.ValueError\")\nreturn z", "Tensor", "(the images must be larger)")]
    [InlineData("ops.prim.RaiseException(\"AssertionError: the images must be smaller\")\nreturn z", "Tensor", "(the images must be smaller)")]
    [InlineData("return torch.add(z, torch.zeros([10], dtype=6, layout=None, device=torch.device(\"cuda:0\")))", "Tensor", "CUDA device")]
    [InlineData("if len(self.kept) > 1:\n  ops.prim.RaiseException(\"used twice\")\nself.kept = torch.cat([self.kept, self.kept])\nreturn z", "Tensor", "the second time (used twice)")]
    [InlineData("l = annotate(List[Tensor], [])\nreturn l[3]", "Tensor", "out of range")]
    public void Other_results_and_failures_are_refused_with_the_reason(string code, string type, string reason) =>
        Assert.Contains(reason, Refused(Write(type, code)), StringComparison.Ordinal);

    [Fact]
    public void A_network_without_derivative_is_refused_where_gradients_are_needed()
    {
        var path = Write("Tensor", "return torch.nextafter(z, torch.add(z, 1))");
        using (TorchScriptModel.Load(path, Shape))
        {
            // Other uses need no gradients.
        }

        var exception = Assert.Throws<BadInputException>(() => TorchScriptModel.Load(path, new TorchScriptRequest { ImageShape = Shape, NeedsGradients = true }, null));
        Assert.Contains("nextafter", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_copy_of_a_file_with_several_outputs_is_deleted()
    {
        var before = Copies();
        using (TorchScriptModel.Load(Write("List[Tensor]", "return [z]"), Shape))
        {
            Assert.Empty(Copies().Except(before, StringComparer.Ordinal));
        }

        static string[] Copies() => Directory.GetFiles(Path.GetTempPath(), "brink-*.pt");
    }

    private static Tensor Linear(LoadedModel loaded, Tensor images) => nn.functional.linear(images.flatten(1), loaded.Module.state_dict()["weight"].to(ScalarType.Float32)).detach();

    private static void AssertLinear(LoadedModel loaded, int batch)
    {
        using var images = rand(batch, 3, 4, 4, generator: new Generator(1)).requires_grad_(true);
        var logits = loaded.Module.call(images);
        Assert.Equal([batch, Classes], logits.shape);
        Assert.True(logits.allclose(Linear(loaded, images), rtol: 1e-4, atol: 1e-5));
        logits.sum().backward();
        Assert.True(images.grad!.flatten(1).allclose(loaded.Module.state_dict()["weight"].sum(dim: 0).expand(batch, Features), rtol: 1e-4, atol: 1e-5));
    }

    private static string Refused(string path)
    {
        var message = Assert.Throws<BadInputException>(() => TorchScriptModel.Load(path, Shape)).Message;
        Assert.EndsWith(".", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private string Write(string type, string code, string before = "", string otherClasses = "", string storage = "FloatStorage", int features = Features) =>
        TorchScriptFile.Write(_folder[$"{Guid.NewGuid():N}.pt"], features, type, code, before, otherClasses, storage);
}
