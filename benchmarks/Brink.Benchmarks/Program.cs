using Brink.Benchmarks;

// The commands are described in benchmarks/README.md.
switch (args)
{
    case ["overhead", .. var subject]:
        Overhead.Run(Subject.Parse(subject));
        return 0;
    case ["memory", .. var subject]:
        MemoryGrowth.Run(Subject.Parse(subject));
        return 0;
    case ["radii", .. var subject]:
        RadiusSweep.Run(Subject.Parse(subject));
        return 0;
    case ["curvature", .. var subject]:
        CurvatureSweep.Run(Subject.Parse(subject));
        return 0;
    case ["refine", .. var subject]:
        RefineSweep.Run(Subject.Parse(subject));
        return 0;
    case ["fooled", .. var words]:
        OnDevice.Fooled(words);
        return 0;
    case ["speed", .. var words]:
        OnDevice.Speed(words);
        return 0;
    default:
        Console.Error.WriteLine("Usage: overhead | memory | radii | curvature | refine, followed by nothing (the embedded model) or by NAME WEIGHTS CIFAR10FILE; fooled | speed, followed by DEVICE MODEL WEIGHTS DATA NORM BATCH LIMIT [tf32]");
        return 2;
}
