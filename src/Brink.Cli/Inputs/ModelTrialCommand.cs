using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Brink.Cli.Terminal;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Cli.Inputs;

/// <summary><c>brink try-model</c>, a hidden verb: loads a TorchScript file in a process of its own (<see cref="ModelTrial"/>).</summary>
internal static class ModelTrialCommand
{
    private const int Passes = 2;

    // Above what the allocator and the compiler of libtorch take and give back between passes.
    private const long KeptMemory = 16 << 20;

    public static Command Create(TextWriter output)
    {
        var command = new Command(ModelTrial.Verb) { Hidden = true };
        command.SetAction(_ =>
        {
            UserLibtorch.IsTried = true;
            using var input = new StreamReader(Console.OpenStandardInput());
            if (JsonSerializer.Deserialize<TrialRequest>(input.ReadLine() ?? "null") is { } request)
            {
                EndWith(input);
                // The network may have printed the beginning of a line.
                output.WriteLine($"\n{ModelTrial.Marker}{JsonSerializer.Serialize(Answer(request))}");
                output.Flush();
            }

            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>Ends this process when the other one has ended, even while a network computes without end.</summary>
    private static void EndWith(StreamReader input)
    {
        var thread = new Thread(() =>
        {
            if (input.Read() < 0)
            {
                using var self = Process.GetCurrentProcess();
                self.Kill();
            }
        })
        { IsBackground = true };
        thread.Start();
    }

    private static TrialAnswer Answer(TrialRequest request)
    {
        try
        {
            TorchLibrary.Require();
            var device = ComputeDevice.Set(request.Device, request.Threads);
            using var loaded = TorchScriptModel.Load(request.Path, request.Request, normalization: null, device: device);
            CheckMemory(loaded, request, device);
            return new(((TorchScriptNetwork)loaded.Module).Traits, null);
        }
        catch (BadInputException exception)
        {
            return new(null, exception.Message);
        }
    }

    /// <summary>Checks that passes do not take more and more memory.</summary>
    private static void CheckMemory(LoadedModel loaded, TrialRequest request, Device device)
    {
        using var withoutGradients = no_grad();
        var least = long.MaxValue;
        for (var pass = 0; pass < Passes; pass++)
        {
            var before = Environment.WorkingSet;
            // Images and logits are freed before the memory is measured again: large images take as much as a network that grows.
            using (NewDisposeScope())
            {
                loaded.Module.call(zeros([1, .. request.Request.ImageShape], device: device));
            }

            least = Math.Min(least, Environment.WorkingSet - before);
        }

        if (least > KeptMemory)
        {
            throw new BadInputException(FormattableString.Invariant($"The network in {request.Path} keeps {least / 1e6:0} MB more of memory after each image, so that a run would take all of it; remove what it collects from its forward method."));
        }
    }
}
