using Brink.Cli;
using Brink.Cli.Terminal;

StandardOutput.Guard();
using var interruption = new Interruption();
return CommandLine.Run(args, Console.Out, Console.Error, interruption.Token);
