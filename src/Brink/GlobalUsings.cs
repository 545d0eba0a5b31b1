global using Brink.Batching;
global using Brink.Classifiers;
global using Brink.Norms;
