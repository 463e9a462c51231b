using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using WebApi.Model;

namespace WebApi.Endpoints;

public static class NoteEndpoints
{
    public static void MapNotes(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/flights/{id:long}/notes", ListAsync).WithSummary("The notes on one of the tenant's flights.");
        endpoints.MapPost("/flights/{id:long}/notes", AddAsync).WithSummary("Adds a note to one of the tenant's flights.");
    }

    private static async Task<Results<Ok<List<NoteResponse>>, NotFound>> ListAsync(
        FlightContext db, long id, CancellationToken cancellationToken)
        => await db.Flights.AnyAsync(f => f.Id == id, cancellationToken)
            ? TypedResults.Ok(
                await db.Notes
                    .Where(n => n.FlightId == id)
                    .OrderBy(n => n.Id)
                    .Select(n => new NoteResponse(n.Id, n.Text, n.WrittenAt))
                    .ToListAsync(cancellationToken))
            : TypedResults.NotFound();

    private static async Task<Results<Created<NoteResponse>, NotFound>> AddAsync(
        FlightContext db, long id, NewNote request, CancellationToken cancellationToken)
    {
        if (!await db.Flights.AnyAsync(f => f.Id == id, cancellationToken))
        {
            return TypedResults.NotFound();
        }

        var note = new Note { FlightId = id, Text = request.Text, WrittenAt = DateTime.UtcNow };
        db.Add(note);
        await db.SaveChangesAsync(cancellationToken);

        return TypedResults.Created($"/flights/{id}/notes", new NoteResponse(note.Id, note.Text, note.WrittenAt));
    }
}

public record NoteResponse(long Id, string Text, DateTime WrittenAt);

public record NewNote([Required, StringLength(1000)] string Text);
