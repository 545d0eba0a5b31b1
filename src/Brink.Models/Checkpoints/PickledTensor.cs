namespace Brink.Models;

/// <summary>A tensor as a pickle describes it, unchecked: a view into a storage. Sizes and strides are Python integers still.</summary>
/// <param name="Storage">Where its elements lie.</param>
/// <param name="Offset">Its first element in the storage.</param>
/// <param name="Shape">The tuple of its sizes.</param>
/// <param name="Strides">The tuple of its strides, in elements.</param>
internal sealed record PickledTensor(PickledStorage Storage, long Offset, object?[] Shape, object?[] Strides);
