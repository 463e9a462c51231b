using System.Diagnostics;
using Xunit;

namespace EfTenancy.FunctionalTests.Administration;

/// <summary>Another process that works on tenants, and is killed.</summary>
internal static class KilledProcess
{
    /// <returns>Whether it had finished before.</returns>
    public static async Task<bool> RunAsync(string connectionString, string command, string arguments, TimeSpan delay)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "EfTenancy.TenantProcess.dll"));
        start.ArgumentList.Add(connectionString);
        start.ArgumentList.Add(command);
        start.ArgumentList.Add(arguments);

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        if (await process.StandardOutput.ReadLineAsync() is not "ready")
        {
            Assert.Fail(await errors);
        }

        await Task.Delay(delay);
        process.Kill();
        await process.WaitForExitAsync();
        Assert.Equal("", await errors);
        return await process.StandardOutput.ReadToEndAsync() is { Length: > 0 };
    }
}
