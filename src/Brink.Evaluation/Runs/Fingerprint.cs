using System.Buffers.Binary;
using System.Security.Cryptography;
using Brink.Data;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>SHA-256 of contents, by which a run knows its own network, images and files again whatever they are called.</summary>
internal static class Fingerprint
{
    /// <summary>Of named tensors: their names, types, shapes and values.</summary>
    public static byte[] Of(IReadOnlyDictionary<string, Tensor> tensors)
    {
        using var hash = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write))
        {
            Safetensors.Write(stream, tensors);
        }

        return hash.Hash!;
    }

    /// <summary>Of images: their size, bytes and labels.</summary>
    public static byte[] Of(ImageSet images)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[sizeof(long)];
        foreach (var size in new[] { images.Channels, images.Height, images.Width })
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, size);
            hash.AppendData(number);
        }

        for (var index = 0; index < images.Count; index++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, images.Label(index));
            hash.AppendData(number);
            hash.AppendData(images.Pixels(index));
        }

        return hash.GetHashAndReset();
    }
}
