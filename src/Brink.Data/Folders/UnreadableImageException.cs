namespace Brink.Data;

/// <summary>One image cannot be used; the others can.</summary>
/// <param name="reason">Why, as a clause such as "it is cut short".</param>
internal sealed class UnreadableImageException(string reason) : Exception(reason);
