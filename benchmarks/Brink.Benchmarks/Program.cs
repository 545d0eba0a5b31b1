using Brink.Benchmarks;

// What each prints is described in benchmarks/README.md.
switch (args)
{
    case ["overhead", .. var subject]:
        Overhead.Run(Subject.Parse(subject));
        return 0;
    case ["memory", .. var subject]:
        MemoryGrowth.Run(Subject.Parse(subject));
        return 0;
    case ["radii", .. var subject]:
        RadiusLadder.Run(Subject.Parse(subject));
        return 0;
    case ["curvature", .. var subject]:
        CurvatureLadder.Run(Subject.Parse(subject));
        return 0;
    case ["refine", .. var subject]:
        PassesLadder.Run(Subject.Parse(subject));
        return 0;
    default:
        Console.Error.WriteLine("Usage: overhead | memory | radii | curvature | refine, each followed by nothing (the embedded network) or by NAME WEIGHTS CIFAR10FILE");
        return 2;
}
