namespace Brink.Training;

/// <summary>What random draws are for; each purpose has draws of its own.</summary>
internal enum Draw
{
    /// <summary>Which images are held out, and which a limit keeps.</summary>
    Selection = 1,

    /// <summary>The order of an epoch.</summary>
    Order = 2,

    /// <summary>The crop and flip of an image in an epoch.</summary>
    Augmentation = 3,

    /// <summary>What the network itself draws in a step, as dropout does.</summary>
    Network = 4,

    /// <summary>Where the adversarial images of a step start.</summary>
    Attack = 5,

    /// <summary>The images on which the curvature of the loss is measured, and the first vector of its power iteration.</summary>
    Curvature = 6,
}
