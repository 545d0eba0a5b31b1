using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Brink.Cli.Terminal;
using static TorchSharp.torch;

namespace Brink.Cli.Inputs;

/// <summary>A trial of a libtorch in another process: a library that does not fit ends the process at the first function that it lacks.</summary>
/// <remarks>The process is this command with a hidden verb. It computes a few operators whose values are known by hand.</remarks>
internal static class LibtorchTrial
{
    private const string Verb = "try-libtorch";
    private const string Marker = "brink-libtorch:";
    private const string Fits = "fits";

    // A libtorch with CUDA takes 5 GB, which may come from a slow disk.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    /// <summary>Creates the hidden verb.</summary>
    public static Command Create(TextWriter output)
    {
        var command = new Command(Verb) { Hidden = true };
        command.SetAction(_ =>
        {
            UserLibtorch.IsTried = true;
            output.WriteLine($"{Marker}{Answer()}");
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>Tries a libtorch.</summary>
    /// <param name="folder">The folder.</param>
    /// <returns>The reason why it does not fit; null if it fits.</returns>
    public static string? Run(LibtorchFolder folder)
    {
        var start = ModelTrial.StartInfo(Verb, UserLibtorch.FlagName, folder.Path);
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (!process.WaitForExit(Limit))
        {
            process.Kill(entireProcessTree: true);
            return string.Create(CultureInfo.InvariantCulture, $"its self-test takes more than {Limit.TotalSeconds} seconds");
        }

        var answer = output.Result.Split('\n').LastOrDefault(line => line.StartsWith(Marker, StringComparison.Ordinal))?[Marker.Length..].Trim();
        var firstLine = error.Result.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return answer switch
        {
            Fits => null,
            not null => answer,
            // The message of the loader, such as "symbol lookup error: … undefined symbol: …", or one of this command.
            _ => firstLine is null ? string.Create(CultureInfo.InvariantCulture, $"the process of its self-test ended with exit code {process.ExitCode}") : Excerpt.Line(firstLine).TrimEnd('.'),
        };
    }

    private static string Answer()
    {
        try
        {
            return Test();
        }
        catch (BadInputException exception)
        {
            return exception.Message;
        }
    }

    /// <summary>Computes operators with known values.</summary>
    /// <returns><see cref="Fits"/>, or a description of the first value that differs.</returns>
    private static string Test()
    {
        TorchLibrary.Require();
        set_num_threads(1);
        using var scope = NewDisposeScope();
        var image = tensor(Enumerable.Range(0, 16).Select(value => (float)value).ToArray()).reshape(1, 1, 4, 4);
        using var filter = ones(1, 1, 3, 3);
        var leaf = tensor([1f, 2f, -3f]).requires_grad_();
        var positive = nn.functional.relu(leaf);
        (positive * positive * positive).sum().backward();
        var script = jit.compile("def twice(x: Tensor) -> Tensor:\n    return x * 2 + 1\n")!;
        (string Name, Func<Tensor> Compute, double[] Expected)[] tests =
        [
            ("mm", () => tensor([1f, 2, 3, 4]).reshape(2, 2).mm(tensor([5f, 6, 7, 8]).reshape(2, 2)), [19, 22, 43, 50]),
            ("conv2d", () => nn.functional.conv2d(image, filter), [45, 54, 81, 90]),
            ("max_pool2d", () => nn.functional.max_pool2d(image, 2), [5, 7, 13, 15]),
            ("batch_norm", () => nn.functional.batch_norm(image.narrow(2, 0, 1), tensor([1f]), tensor([4f]), eps: 0), [-0.5, 0, 0.5, 1]),
            ("softmax", () => tensor([0, Math.Log(3)]).softmax(0), [0.25, 0.75]),
            ("backward", () => leaf.grad!, [3, 12, 0]),
            ("sort", () => tensor([3L, 1, 2]).sort(0, descending: true).Values, [3, 2, 1]),
            ("index_select", () => tensor([3L, 1, 2]).index_select(0, tensor([2L, 0])), [2, 3]),
            ("TorchScript", () => (Tensor)script.invoke("twice", tensor([1f, 2f])), [3, 5]),
        ];
        foreach (var (name, compute, expected) in tests)
        {
            var values = compute().detach().to(ScalarType.Float64).flatten().data<double>().ToArray();
            if (values.Length != expected.Length || values.Zip(expected).Any(pair => !(Math.Abs(pair.First - pair.Second) < 1e-6)))
            {
                return string.Create(CultureInfo.InvariantCulture, $"the operator {name} of its self-test gives {string.Join(", ", values)} instead of {string.Join(", ", expected)}");
            }
        }

        try
        {
            zeros(2, 3).mm(zeros(2, 3));
            return "an error of its self-test is not reported";
        }
        catch (ExternalException)
        {
            return Fits;
        }
    }
}
