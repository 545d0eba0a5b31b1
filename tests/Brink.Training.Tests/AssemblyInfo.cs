// Trainings seed torch's global generator, which its other users in the process would draw from: one at a time.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
