using System.Globalization;
using System.Text.RegularExpressions;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Determines with a few passes what a TorchScript network takes and returns.</summary>
/// <param name="network">The network, in evaluation mode.</param>
/// <param name="path">Its file, for messages.</param>
/// <param name="request">The images and outputs.</param>
/// <param name="device">The device of the network.</param>
internal sealed partial class TorchScriptProbe(TorchScriptNetwork network, string path, TorchScriptRequest request, Device device)
{
    // Larger batches take too long to try.
    private const int LargestFixedBatch = 64;

    private const int MostFixedBatches = 8;

    // The name that networks with several outputs give to the logits.
    private const string LogitsName = "logits";

    private static readonly long[] ChannelCounts = [1, 3, 4];

    /// <summary>Determines the traits of the network.</summary>
    /// <returns>The traits, which are also set in the network.</returns>
    /// <exception cref="BadInputException">The network cannot process the images, or returns no logits for them.</exception>
    public TorchScriptTraits Run()
    {
        using var scope = NewDisposeScope();
        var (type, batch, single) = FirstPass();
        var pair = batch == 1 && Try(2, type, request.ImageShape, out _) is { } shapes && shapes.Length == single.Length && shapes.Any(shape => shape is [2, ..]) ? shapes : null;
        if (pair is null && Try(batch, type, request.ImageShape, out var changed) is null)
        {
            throw new BadInputException($"The network in {path} processed a batch of {batch} once, but failed on the same batch the second time ({changed}); remove from it what changes between its passes.");
        }

        int? fixedBatch = pair is null ? batch : null;
        var (output, warnings) = Choose(pair ?? single, pair is null ? batch : 2, pair is null ? null : single, type);
        var traits = new TorchScriptTraits { ClassCount = output.ClassCount, InputType = type, BatchSize = fixedBatch, Output = single.Length == 1 && output.Name.Length == 0 ? null : output.Index };
        if (output.IsSingle)
        {
            traits = traits with { Single = Meaning(output.Index, batch, type) };
            warnings.Add(traits.Single == SingleOutput.Logit
                ? $"{Name} has one output, which is a logit because it leaves the range from 0 to 1; it becomes the classes 0 with logit 0 and 1 with this logit."
                : $"{Name} has one output, which is a probability because it stays between 0 and 1 even for images of a thousand times the contrast; it becomes the classes 0 with logit 0 and 1 with the logit log p − log(1 − p) of the probability.");
        }

        if (type is ScalarType.Float16 or ScalarType.BFloat16)
        {
            warnings.Add($"{Name} computes in {Text(type)}, to which images are rounded; perturbations below its precision have no effect.");
        }

        if (fixedBatch is 1)
        {
            warnings.Add($"{Name} processes one image at a time, because a batch size of 1 is fixed in its code; the run is slower for it, and saving the network with torch.jit.script or a dynamic batch avoids it.");
        }
        else if (fixedBatch is { } size)
        {
            warnings.Add(string.Create(CultureInfo.InvariantCulture, $"{Name} processes batches of {size} images, because this batch size is fixed in its code; smaller batches are filled up with copies."));
        }

        network.Traits = traits with { Warnings = warnings };
        if (request.NeedsGradients)
        {
            // libtorch has other code for one image than for several, which can end the process where the other does not.
            CheckGradients(batch);
            if (pair is not null)
            {
                CheckGradients(2);
            }
        }

        return network.Traits;
    }

    private string Name => Path.GetFileName(path);

    /// <summary>Finds a type and a batch size that the network processes.</summary>
    private (ScalarType Type, int Batch, long[]?[] Shapes) FirstPass()
    {
        // A network in another type may still take float32 and convert the images by itself.
        ScalarType[] types = [ScalarType.Float32, .. network.FloatingTypes.Where(type => type != ScalarType.Float32)];
        var reason = "";
        foreach (var type in types)
        {
            if (Try(1, type, request.ImageShape, out reason) is { } shapes)
            {
                return (type, 1, shapes);
            }
        }

        // An error about a shape contains the batch size that the network was traced with.
        var message = reason;
        foreach (var batch in Numbers().Matches(message).Select(match => int.TryParse(match.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0).Where(number => number is > 1 and <= LargestFixedBatch).Distinct().Take(MostFixedBatches))
        {
            foreach (var type in types)
            {
                if (Try(batch, type, request.ImageShape, out _) is { } shapes)
                {
                    return (type, batch, shapes);
                }
            }
        }

        foreach (var channels in request.ImageShape.Count == 3 ? ChannelCounts.Where(count => count != request.ImageShape[0]) : [])
        {
            if (types.Any(type => Try(1, type, [channels, .. request.ImageShape.Skip(1)], out _) is not null))
            {
                throw new BadInputException($"The network in {path} takes images with {Channels(channels)}, but the images have {Channels(request.ImageShape[0])}; convert the images with --channels {channels switch { 1 => "grey", 3 => "rgb", _ => "rgba" }}, or save the network in a module that converts them.");
            }
        }

        throw CudaError().Match(message) is { Success: true }
            ? new BadInputException($"The network in {path} was traced on a CUDA device, which is fixed in its code ({message.Split(". ")[0]}); run it with --device cuda on a machine with a GPU, or trace it again on the CPU.")
            : new BadInputException($"The network in {path} should return logits for images of shape {Excerpt.Shape(request.ImageShape)}, but it failed on one ({message}); check that it takes images of this shape.");
    }

    private static string Channels(long count) => count == 1 ? "1 channel" : string.Create(CultureInfo.InvariantCulture, $"{count} channels");

    /// <summary>Runs a batch of zeros.</summary>
    /// <returns>The shapes of the outputs, null for tensors that are sparse or not floating-point; or null if it fails.</returns>
    private long[]?[]? Try(int batch, ScalarType type, IEnumerable<long> imageShape, out string reason)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        reason = "";
        try
        {
            return [.. network.Outputs(zeros([batch, .. imageShape], type, device)).Select(output => output.is_floating_point() && !output.is_sparse ? output.shape : null)];
        }
        catch (Exception exception) when (exception is InvalidCastException or ArgumentOutOfRangeException)
        {
            reason = "it returns no tensor";
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            reason = TorchScriptError.Reason(exception);
        }

        return null;
    }

    /// <summary>Chooses the output that contains the logits.</summary>
    /// <param name="shapes">The shapes of the outputs.</param>
    /// <param name="batch">The number of images that they were computed for.</param>
    /// <param name="others">The shapes for one image; null if the network processes only <paramref name="batch"/> images.</param>
    /// <param name="type">The type of the images.</param>
    private (Output Output, List<string> Warnings) Choose(long[]?[] shapes, int batch, long[]?[]? others, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        var names = network.OutputNames(zeros([batch, .. request.ImageShape], type, device));
        var outputs = Enumerable.Range(0, Math.Min(shapes.Length, names.Length))
            .Where(index => shapes[index] is { } shape && IsLogits(shape, batch) && (others is null || (others[index] is { } other && IsLogits(other, 1))))
            .Select(index => new Output(index, names[index], shapes[index]!)).ToArray();
        if (names is [""])
        {
            return request.Output is { } unknown
                ? throw new BadInputException($"The output {Excerpt.Quote(unknown)} was chosen, but the network in {path} returns a single tensor; leave --output out.")
                : (outputs.FirstOrDefault() ?? throw NoLogits(shapes, batch), []);
        }

        if (request.Output is { } wanted)
        {
            var index = Array.IndexOf(names, wanted);
            index = index < 0 && int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < names.Length ? number : index;
            return (Array.Find(outputs, output => output.Index == index) ?? throw new BadInputException($"The network in {path} has no output {Excerpt.Quote(wanted)} with logits; it returns {Listed(names, shapes)}, and an output of shape [batch, classes] is needed."), []);
        }

        if (outputs.Length == 0)
        {
            throw NoLogits(shapes, batch);
        }

        var chosen = outputs is [var only] ? only
            : outputs.Where(output => output.ClassCount == request.ClassCount).ToArray() is [var fitting] ? fitting
            : outputs.Where(output => output.Name.Split('.')[^1] == LogitsName).ToArray() is [var named] ? named
            : throw new BadInputException($"The network in {path} returns several tensors that could be the logits ({string.Join(", ", outputs.Select(output => output.ToString()))}); choose one by --output NAME.");
        return (chosen, [$"{Name} returns {names.Length} tensors, of which the output {chosen} is taken as the logits; --output chooses another."]);
    }

    private static bool IsLogits(long[] shape, int batch) => shape is [var rows] ? rows == batch : shape is [var images, >= 1] && images == batch;

    private BadInputException NoLogits(long[]?[] shapes, int batch) => new(shapes is [{ } shape]
        ? string.Create(CultureInfo.InvariantCulture, $"The network in {path} should return logits of shape [{batch}, classes] for a batch of {batch}, but returned {Excerpt.Shape(shape)}; wrap it in a module that returns such logits.")
        : $"The network in {path} should return a tensor with logits of shape [batch, classes], but {(shapes.Length == 0 ? "returned no tensor" : $"returned tensors of other shapes ({string.Join(", ", shapes.Select(other => other is null ? "a sparse one or one that is not floating-point" : Excerpt.Shape(other)))})")}; wrap it in a module that returns such logits.");

    private static string Listed(string[] names, long[]?[] shapes) => string.Join(", ", names.Zip(shapes, (name, shape) => $"{Excerpt.Quote(name)} {(shape is null ? "that is sparse or not floating-point" : Excerpt.Shape(shape))}"));

    /// <summary>Distinguishes logits from probabilities: only probabilities stay between 0 and 1 for images of any contrast.</summary>
    private SingleOutput Meaning(int index, int batch, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        using var generator = new Generator(0);
        var images = rand([batch, .. request.ImageShape], ScalarType.Float32, generator: generator).to(device);
        foreach (var contrast in new double[] { 1, 10, 1000, -1, -10, -1000 })
        {
            using var factor = Scalars.Of(contrast);
            Tensor values;
            try
            {
                values = network.Outputs(images.mul(factor).to(type))[index];
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                // A network may check the range of its images.
                continue;
            }

            if (values.lt(Scalars.Zero).logical_or(values.gt(Scalars.One)).any().item<bool>())
            {
                return SingleOutput.Logit;
            }
        }

        return SingleOutput.Probability;
    }

    /// <summary>Runs a batch forward and backward.</summary>
    private void CheckGradients(int batch)
    {
        using var scope = NewDisposeScope();
        using var gradients = enable_grad();
        try
        {
            var images = zeros([batch, .. request.ImageShape], ScalarType.Float32, device).requires_grad_(true);
            // A copy, as the preprocessing makes one: a network may change its images in place.
            var sum = network.forward(images.clone()).sum();
            // Attacks report an output that does not depend on the images.
            if (sum.requires_grad)
            {
                sum.backward(null!, create_graph: false, retain_graph: false, inputs: [images]);
                images.grad = null;
            }
        }
        catch (Exception exception) when (exception is not (OutOfMemoryException or BadInputException))
        {
            throw new BadInputException($"The network in {path} processes images, but its gradient, which attacks need, cannot be computed ({TorchScriptError.Reason(exception)}); remove operations from it that have no derivative or that change tensors in place.", exception);
        }
    }

    private static string Text(ScalarType type) => type == ScalarType.Float16 ? "half precision" : "bfloat16";

    [GeneratedRegex(@"\d+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Numbers();

    [GeneratedRegex(@"'CUDA' backend|cuda:\d|without CUDA|with CUDA|NVIDIA", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex CudaError();

    private sealed record Output(int Index, string Name, long[] Shape)
    {
        /// <summary>True if there is one number for each image.</summary>
        public bool IsSingle => Shape.Length == 1 || Shape[1] == 1;

        public int ClassCount => IsSingle ? 2 : (int)Shape[1];

        public override string ToString() => $"{Excerpt.Quote(Name)} of shape [batch{(Shape.Length == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $", {Shape[1]}"))}]";
    }
}
