namespace Brink.Testing;

/// <summary>Calls an action for every report, at once and on the same thread, which <see cref="Progress{T}"/> does not.</summary>
public sealed class CallbackProgress<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
