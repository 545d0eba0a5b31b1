namespace Brink.Models;

/// <summary>The Python functions whose meaning the unpickler knows. It carries them out itself.</summary>
internal enum KnownFunction
{
    /// <summary><c>collections.OrderedDict</c>.</summary>
    OrderedDict,

    /// <summary><c>torch.Size</c>, a tuple.</summary>
    Size,

    /// <summary><c>torch._utils._rebuild_tensor(storage, offset, size, stride)</c>, PyTorch before 0.4.</summary>
    RebuildTensor,

    /// <summary><c>torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks[, metadata])</c>.</summary>
    RebuildTensorV2,

    /// <summary><c>torch._utils._rebuild_parameter(tensor, requires_grad, backward_hooks)</c>.</summary>
    RebuildParameter,
}
