namespace WebApi.Import;

/// <summary>A file of flights cannot be read; nothing of it was imported.</summary>
public class FlightImportException(string file, long line, string reason, Exception? innerException = null)
    : Exception($"{file}, line {line}: {reason}", innerException)
{
    public string File { get; } = file;

    /// <summary>Counted from one, the header.</summary>
    public long Line { get; } = line;

    public string Reason { get; } = reason;
}
