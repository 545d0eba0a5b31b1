namespace Brink;

/// <summary>The exception that is thrown when an input (a file, a model, images, an option) cannot be used.</summary>
/// <remarks>The message is one sentence for the user: what was needed, what was given and what to do. The command prints it and ends with exit code 2.</remarks>
/// <param name="message">The message for the user.</param>
/// <param name="innerException">The exception that caused this one; null if there is none.</param>
public sealed class BadInputException(string message, Exception? innerException = null) : Exception(message, innerException);
