using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>A network that PyTorch wrote with its code (<c>torch.jit.save</c>), as a module like any other.</summary>
/// <remarks>The script is no part of this module in the sense of <c>modules()</c>: TorchSharp then disposes it before it asks it for its parts.</remarks>
internal sealed class TorchScriptNetwork(string name, jit.ScriptModule<Tensor, Tensor> script) : nn.Module<Tensor, Tensor>(name)
{
    public override bool training => script.training;

    public override void train(bool on = true) => script.train(on);

    public override Tensor forward(Tensor input) => script.call(input);

    public override IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true) => script.named_parameters(recurse);

    /// <summary>Its parameters and buffers under the names they have in PyTorch.</summary>
    public override Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
    {
        destination ??= new(StringComparer.Ordinal);
        foreach (var (entry, value) in named_parameters().Select(parameter => (parameter.name, (Tensor)parameter.parameter)).Concat(script.named_buffers()))
        {
            destination.TryAdd(string.IsNullOrEmpty(prefix) ? entry : $"{prefix}.{entry}", value);
        }

        return destination;
    }

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
}
