using Microsoft.Extensions.Logging;

namespace Sloring.Tests;

/// <summary>Writes all logs to a file under .build/captured, where the privacy scan reads everything that the suite wrote.</summary>
public sealed class CapturedLog : ILoggerProvider
{
    private readonly StreamWriter _file;

    public CapturedLog(string name) =>
        _file = new StreamWriter(Path.Combine(Repository.Captured, $"{name}-{Environment.ProcessId}-{Guid.NewGuid():N}.log")) { AutoFlush = true };

    public ILogger CreateLogger(string categoryName) => new Log(this, categoryName);

    public void Dispose()
    {
        lock (_file)
            _file.Dispose();
    }

    private void Write(string line)
    {
        lock (_file)
        {
            if (_file.BaseStream is { CanWrite: true })
                _file.WriteLine(line);
        }
    }

    private sealed class Log(CapturedLog owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            owner.Write($"{DateTime.UtcNow:O} {logLevel} {category} {formatter(state, exception)} {exception}");
    }
}
