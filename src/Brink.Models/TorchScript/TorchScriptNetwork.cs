using System.Text;
using Brink.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>A TorchScript network as an ordinary module from images to logits.</summary>
/// <remarks>The script is not registered as a submodule, because TorchSharp would dispose it before it enumerates the script's own modules.</remarks>
internal sealed class TorchScriptNetwork(string name, jit.ScriptModule script, bool hasSeveralOutputs) : nn.Module<Tensor, Tensor>(name)
{
    /// <summary>The traits of the network, which must be set before <see cref="forward"/>.</summary>
    public TorchScriptTraits? Traits { get; set; }

    public override bool training => script.training;

    /// <summary>Indicates whether any part of the network is in training mode.</summary>
    public bool IsTraining => script.training || script.modules().Any(part => part.training);

    /// <summary>The types of the floating-point parameters and buffers.</summary>
    public IEnumerable<ScalarType> FloatingTypes
    {
        get
        {
            using var scope = NewDisposeScope();
            return [.. state_dict().Values.Where(value => value.is_floating_point()).Select(value => value.dtype).Distinct()];
        }
    }

    public override void train(bool on = true) => script.train(on);

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        if (Traits!.BatchSize is not { } size)
        {
            return Logits(input).MoveToOuterDisposeScope();
        }

        var logits = new List<Tensor>();
        for (long start = 0, count = input.shape[0]; start < count; start += size)
        {
            var rows = input.narrow(0, start, Math.Min(size, count - start));
            // The last batch is filled up with copies of its first image.
            var filled = rows.shape[0] == size ? rows : cat([rows, .. Enumerable.Repeat(rows.narrow(0, 0, 1).detach(), size - (int)rows.shape[0])]);
            logits.Add(Logits(filled).narrow(0, 0, rows.shape[0]));
        }

        return cat(logits).MoveToOuterDisposeScope();
    }

    /// <summary>Runs the script as it is.</summary>
    /// <param name="images">Images of a type and batch size that it takes.</param>
    /// <returns>The tensors that it returns.</returns>
    /// <exception cref="InvalidCastException">It returns something that contains no tensor.</exception>
    public Tensor[] Outputs(Tensor images) => hasSeveralOutputs
        ? script.invoke(TorchScriptOutputs.Tensors, images) as Tensor[] ?? []
        : [script.forward(images) as Tensor ?? throw new InvalidCastException()];

    /// <summary>Runs the script and returns the names of the tensors that it returns; a single tensor has an empty name.</summary>
    /// <param name="images">Images of a type and batch size that it takes.</param>
    public string[] OutputNames(Tensor images)
    {
        using var scope = NewDisposeScope();
        return hasSeveralOutputs
            ? [.. (script.invoke(TorchScriptOutputs.Names, images) as Tensor[] ?? []).Select(codes => Encoding.UTF8.GetString([.. codes.data<long>().Select(code => (byte)code)]))]
            : [""];
    }

    /// <summary>Returns the parameters and buffers by their names in PyTorch.</summary>
    public override Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
    {
        destination ??= new(StringComparer.Ordinal);
        foreach (var (entry, value) in named_parameters().Select(parameter => (parameter.name, (Tensor)parameter.parameter)).Concat(script.named_buffers()))
        {
            destination.TryAdd(string.IsNullOrEmpty(prefix) ? entry : $"{prefix}.{entry}", value);
        }

        return destination;
    }

    public override IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true) => script.named_parameters(recurse);

    protected override nn.Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking)
    {
        script.to(deviceType, deviceIndex, non_blocking);
        return this;
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            script.Dispose();
        }
    }

    private Tensor Logits(Tensor images)
    {
        var type = Traits!.InputType;
        // Images in double precision are for a network that takes any type.
        var converts = type != ScalarType.Float32 && images.dtype != type;
        var output = Outputs(converts ? images.to(type) : images)[Traits.Output ?? 0];
        var logits = converts || output.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? output.to(images.dtype) : output;
        return Traits.Single == SingleOutput.None ? logits : TwoClasses(logits.flatten(), Traits.Single);
    }

    /// <summary>Converts one output for each image to the logits of two classes, 0 and the logit of the second.</summary>
    private static Tensor TwoClasses(Tensor output, SingleOutput meaning)
    {
        var logits = output;
        if (meaning == SingleOutput.Probability)
        {
            // The logit of a probability of 0 or 1 is infinite; that of the nearest other number is not.
            var info = finfo(output.dtype);
            using var smallest = Scalars.Of(info.tiny);
            using var largest = Scalars.Of(1 - (info.eps / 2));
            var probabilities = output.clamp(smallest, largest);
            logits = probabilities.log().sub(probabilities.neg().log1p());
        }

        return stack([zeros_like(logits), logits], 1);
    }
}
