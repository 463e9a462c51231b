using System.ComponentModel;
using System.Diagnostics;

namespace DevPostgres;

/// <summary>Runs a program and returns what it wrote to its standard output.</summary>
internal static class Command
{
    private static readonly Dictionary<string, string> NoVariables = [];

    public static Task<string> RunAsync(string program, string[] arguments, CancellationToken cancellationToken = default)
        => RunAsync(program, arguments, NoVariables, cancellationToken);

    /// <exception cref="InvalidOperationException">The program is not there, or it failed; the message holds its output.</exception>
    public static async Task<string> RunAsync(
        string program, string[] arguments, Dictionary<string, string> variables, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // The user postgres may not be allowed into our own working directory.
            WorkingDirectory = Path.GetPathRoot(Environment.CurrentDirectory),
        };
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        using var process = Start(start);
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0
                ? await output
                : throw new InvalidOperationException(
                    $"`{program} {string.Join(' ', start.ArgumentList)}` ended with exit code {process.ExitCode}:\n{await output}{await error}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            throw new InvalidOperationException($"`{start.FileName}` could not be run: {exception.Message}", exception);
        }
    }
}
