namespace Brink.Tests.Attacks;

/// <summary>Tests that measure the process, which nothing else may run beside.</summary>
[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public sealed class AloneCollection;
