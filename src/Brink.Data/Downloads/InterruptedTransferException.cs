namespace Brink.Data;

/// <summary>A transfer broke off; what has arrived is kept, and another attempt goes on from there.</summary>
/// <param name="cause">What broke it off.</param>
internal sealed class InterruptedTransferException(Exception cause) : Exception(cause.Message, cause);
