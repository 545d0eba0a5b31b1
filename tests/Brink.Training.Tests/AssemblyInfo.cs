// A training run seeds torch's global generator, so that tests that run at the same time would change each other's random draws.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
