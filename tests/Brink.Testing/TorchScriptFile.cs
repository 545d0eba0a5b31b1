using System.IO.Compression;
using System.Text;

namespace Brink.Testing;

/// <summary>Writes TorchScript files whose network is a linear layer, with any code after it.</summary>
public static class TorchScriptFile
{
    /// <summary>The number of classes.</summary>
    public const int Classes = 10;

    /// <summary>Writes a network. Its code has the images as <c>x</c>, and the logits of the linear layer, [batch, 10], as <c>z</c>; <c>self.kept</c> is a vector.</summary>
    /// <param name="path">The file to write.</param>
    /// <param name="features">The number of pixels of an image, times channels.</param>
    /// <param name="type">The type of the result, such as <c>Tuple[Tensor, Tensor]</c>.</param>
    /// <param name="code">The lines of code, of which the last returns the result.</param>
    /// <param name="before">The lines of code before the linear layer.</param>
    /// <param name="otherClasses">The code of other classes.</param>
    /// <param name="storage">The type of the weights: <c>FloatStorage</c>, <c>HalfStorage</c> or <c>BFloat16Storage</c>.</param>
    /// <param name="self">The name of the first parameter of the method, the network.</param>
    /// <returns>The path.</returns>
    public static string Write(string path, int features, string type, string code, string before = "", string otherClasses = "", string storage = "FloatStorage", string self = "self")
    {
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        Add("net/data.pkl", Pickle(features, storage));
        Add("net/code/__torch__.py", Encoding.UTF8.GetBytes($"""
            class Net(Module):
              __parameters__ = ["weight", ]
              __buffers__ = []
              weight : Tensor
              kept : Tensor
              training : bool
              def forward({self}: __torch__.Net,
                x: Tensor) -> {type}:
            {Indented(before)}    z = torch.linear(torch.flatten(x, 1), {self}.weight)
            {Indented(code)}{otherClasses}

            """.ReplaceLineEndings("\n")));
        Add("net/data/0", [.. Enumerable.Range(0, Classes * features).SelectMany(index => Bytes((float)Math.Sin(index * 0.7) / 4, storage))]);
        Add("net/constants.pkl", [0x80, 2, .. ")."u8]);
        Add("net/version", "3\n"u8);
        return path;

        void Add(string name, ReadOnlySpan<byte> content)
        {
            using var stream = archive.CreateEntry(name, CompressionLevel.NoCompression).Open();
            stream.Write(content);
        }
    }

    private static string Indented(string code) => string.Concat(code.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => $"    {line}\n"));

    private static byte[] Bytes(float value, string storage) => storage switch
    {
        "HalfStorage" => BitConverter.GetBytes((Half)value),
        "BFloat16Storage" => BitConverter.GetBytes(value)[2..],
        _ => BitConverter.GetBytes(value),
    };

    /// <summary>Pickles an object of the class with its weight and its mode.</summary>
    private static byte[] Pickle(int features, string storage) =>
    [
        0x80, 2,
        .. "c__torch__\nNet\n)"u8, 0x81, .. "}("u8,
        .. Text("weight"), .. Tensor(features, storage, [Classes, features], [features, 1]),
        .. Text("kept"), .. Tensor(features, storage, [1], [1]),
        .. Text("training"), 0x89, .. "ub."u8,
    ];

    private static byte[] Tensor(int features, string storage, int[] shape, int[] strides) =>
    [
        .. "ctorch._utils\n_rebuild_tensor_v2\n(("u8,
        .. Text("storage"), .. Encoding.ASCII.GetBytes($"ctorch\n{storage}\n"), .. Text("0"), .. Text("cpu"), .. Number(Classes * features), .. "tQ"u8,
        .. Number(0), .. "("u8, .. shape.SelectMany(Number), .. "t("u8, .. strides.SelectMany(Number), .. "t"u8, 0x88, .. "ccollections\nOrderedDict\n)RtR"u8,
    ];

    private static byte[] Text(string text) => [(byte)'X', .. BitConverter.GetBytes(text.Length), .. Encoding.ASCII.GetBytes(text)];

    private static byte[] Number(int number) => [(byte)'J', .. BitConverter.GetBytes(number)];
}
