using Brink.Cli;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;

if (LibtorchContext.Run(args) is { } exitCode)
{
    return exitCode;
}

StandardOutput.Guard();
using var interruption = new Interruption();
return CommandLine.Run(args, Console.Out, Console.Error, interruption.Token);
