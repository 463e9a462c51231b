using System.ComponentModel.DataAnnotations;

namespace WebApi.Model;

/// <summary>A remark on a flight.</summary>
public class Note
{
    public long Id { get; set; }

    public long FlightId { get; set; }

    [MaxLength(1000)]
    public required string Text { get; set; }

    public DateTime WrittenAt { get; set; }
}
