using static TorchSharp.torch;

namespace Brink;

/// <summary>A gradient that can itself be differentiated.</summary>
/// <remarks>
/// <c>backward</c> with create_graph leaves a gradient in its leaf that in turn holds the leaf, a cycle that keeps the whole graph alive until it is
/// broken, and libtorch warns of it on the console. <c>torch.autograd.grad</c> has neither fault, but a libtorch error in TorchSharp's
/// binding of it ends the process. TorchScript calls the same function, and there errors are exceptions.
/// </remarks>
internal static class DifferentiableGradient
{
    private static readonly jit.CompilationUnit Script = jit.compile("""
        def gradient(value: Tensor, leaf: Tensor) -> Optional[Tensor]:
            return torch.autograd.grad([value], [leaf], create_graph=True, allow_unused=True)[0]

        def gradients(value: Tensor, leaves: List[Tensor]) -> Tensor:
            parts = torch.autograd.grad([value], leaves, create_graph=True, allow_unused=True)
            flat: List[Tensor] = []
            for i in range(len(leaves)):
                part = parts[i]
                flat.append(torch.zeros_like(leaves[i]).flatten() if part is None else part.flatten())
            return torch.cat(flat)

        """)!;

    /// <summary>The gradient of a number with respect to a leaf of its graph, with a graph of its own; null where it does not depend on the leaf.</summary>
    public static Tensor? Of(Tensor value, Tensor leaf) => (Tensor?)Script.invoke("gradient", value, leaf);

    /// <summary>The gradients of a number with respect to several leaves of its graph, one after the other in one vector, with a graph of its own.</summary>
    public static Tensor OfAll(Tensor value, Tensor[] leaves) => (Tensor)Script.invoke("gradients", value, leaves);
}
