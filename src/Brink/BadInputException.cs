namespace Brink;

/// <summary>Something handed to Brink (a file, a model, images, an option) cannot be used. The message is one sentence for the user.</summary>
/// <remarks>The message says what was needed, what was given and what to do. The command line prints it and ends with exit code 2.</remarks>
/// <param name="message">The sentence.</param>
/// <param name="innerException">What went wrong underneath, if anything did.</param>
public sealed class BadInputException(string message, Exception? innerException = null) : Exception(message, innerException);
