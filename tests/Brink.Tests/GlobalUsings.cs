global using Brink.Classifiers;
global using Brink.Norms;
global using Brink.Testing;
global using TorchSharp;
