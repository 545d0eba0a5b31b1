// These tests change the culture and torch's threads, and compare runs that compute: one at a time.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
