namespace WebApi.Model;

/// <summary>A flight. It leaves from the airport that is its tenant.</summary>
public class Flight
{
    public long Id { get; set; }

    public DateTime FlownAt { get; set; }

    public int DelayMinutes { get; set; }

    public int DistanceMiles { get; set; }

    public required string Destination { get; set; }

    public List<Note> Notes { get; } = [];

    // Not mapped, since it is not public: the import carries the tenant here from the file to the bulk insert.
    internal string? Origin { get; init; }
}
