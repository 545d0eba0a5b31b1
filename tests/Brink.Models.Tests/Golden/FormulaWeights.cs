using System.Security.Cryptography;
using System.Text;
using static TorchSharp.torch;

namespace Brink.Models.Tests.Golden;

/// <summary>The weights and the image that <c>generate.py</c> computes from names and indices, equal in every bit.</summary>
internal static class FormulaWeights
{
    /// <summary>Overwrites all weights of a network.</summary>
    public static void Fill(nn.Module network)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        foreach (var (name, slot) in network.state_dict())
        {
            using var value = Of(name, slot.shape);
            slot.copy_(value);
        }
    }

    /// <summary>Computes the tensor of a name and a shape.</summary>
    public static Tensor Of(string name, long[] shape)
    {
        if (name.EndsWith("num_batches_tracked", StringComparison.Ordinal))
        {
            return tensor(7L);
        }

        var count = shape.Aggregate(1L, (product, length) => product * length);
        var (offset, scale) = (shape.Length, name) switch
        {
            ( >= 2, _) => (0, Math.Sqrt(6.0 * shape[0] / count)),
            (_, var kind) when kind.EndsWith("running_var", StringComparison.Ordinal) => (1, 0.5),
            (_, var kind) when kind.EndsWith("weight", StringComparison.Ordinal) => (1, 0.25),
            _ => (0, 0.125),
        };
        return tensor(Uniform(name, count, offset, scale), shape);
    }

    /// <summary>Computes the image [1, 3, side, side].</summary>
    public static Tensor Image(long side) => tensor(Uniform("image", 3 * side * side, 0, 1), [1, 3, side, side]);

    /// <summary>Computes a hash of all names and shapes.</summary>
    public static string Names(IReadOnlyDictionary<string, Tensor> state)
    {
        var lines = state.Select(entry => $"{entry.Key} {string.Join(',', entry.Value.shape)}\n").Order(StringComparer.Ordinal);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(lines))));
    }

    private static float[] Uniform(string name, long count, double offset, double scale)
    {
        unchecked
        {
            var start = 2166136261;
            foreach (var letter in Encoding.UTF8.GetBytes(name))
            {
                start = (start ^ letter) * 16777619;
            }

            var values = new float[count];
            for (var place = 0; place < values.Length; place++)
            {
                var bits = ((uint)place * 2654435761) ^ start;
                bits = (bits ^ (bits >> 16)) * 0x7FEB352D;
                bits = (bits ^ (bits >> 15)) * 0x846CA68B;
                bits ^= bits >> 16;
                values[place] = (float)(offset + (scale * (((bits >> 8) * Math.ScaleB(1, -23)) - 1)));
            }

            return values;
        }
    }
}
