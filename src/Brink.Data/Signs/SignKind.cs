namespace Brink.Data;

/// <summary>The ten signs; the numbers are the labels.</summary>
internal enum SignKind
{
    Stop = 0,
    NoEntry = 1,
    Yield = 2,
    Warning = 3,
    PriorityRoad = 4,
    SpeedLimit30 = 5,
    SpeedLimit80 = 6,
    TurnLeft = 7,
    TurnRight = 8,
    StraightAhead = 9,
}
