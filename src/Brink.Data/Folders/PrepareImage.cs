namespace Brink.Data;

/// <summary>Decodes a file's content and writes it out as the set has its images.</summary>
/// <param name="file">The content.</param>
/// <param name="planes">Takes the image: [red, green, blue; row; column].</param>
/// <returns>Null; or what keeps this image, which is fine in itself, from being in one set with the others, as a clause.</returns>
/// <exception cref="UnreadableImageException">The file is no image, or a damaged one.</exception>
internal delegate string? PrepareImage(byte[] file, Span<byte> planes);
