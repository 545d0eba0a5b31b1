using Brink.Data;
using Brink.Evaluation.Runs;
using Brink.Models;
using CustomAttack;

// An attack of your own over a data set, with the checks, counts, confirmation and results of every other attack.
using var model = ModelCatalog.Load("signs", weights: null);
var evaluation = new AttackEvaluation(new(model, InputSpace.Pixel), new HalfwayAttack(maxSteps: 50));
using var result = evaluation.Run(DataCatalog.Open("signs", limit: 32));
var fooled = result.Images.Where(image => image.Outcome.Fooled).ToArray();
Console.WriteLine($"{fooled.Length} of {result.Images.Count(image => image.Outcome.Attacked)} fooled, mean L2 length {fooled.Average(image => image.Outcome.L2):F3}");
