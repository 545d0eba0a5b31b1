global using Brink.Tensors;
