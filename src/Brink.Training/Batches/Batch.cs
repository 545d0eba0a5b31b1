namespace Brink.Training;

/// <summary>The images of one step, as the network will see them, before normalisation.</summary>
/// <param name="Number">Its place in the epoch, from 0.</param>
/// <param name="Pixels">Values in [0, 1], [image, channel, row, column].</param>
/// <param name="Labels">One label an image.</param>
/// <param name="Places">The places of the images among all.</param>
internal sealed record Batch(int Number, float[] Pixels, long[] Labels, long[] Places);
