global using Brink.Testing;
global using TorchSharp;
