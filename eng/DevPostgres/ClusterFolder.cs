using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;

namespace DevPostgres;

/// <summary>
///     The private folder of one cluster. Its owner holds a lock on a file in it, which the operating system releases however the
///     owner ends; a process id would not do, since ids are reused and mean nothing in another container that shares the folder.
/// </summary>
[UnsupportedOSPlatform("windows")]
internal sealed class ClusterFolder : IDisposable
{
    private const string Prefix = "eftenancy-postgres-";
    private const string OwnerFile = "owner";

    private readonly FileStream _lock;

    private ClusterFolder(string path, FileStream @lock)
    {
        FullName = path;
        _lock = @lock;
    }

    public string FullName { get; }

    public string Data => Path.Combine(FullName, "data");

    public string Log => Path.Combine(FullName, "log");

    // The user postgres may not be allowed into root's TMPDIR.
    private static string Parent => PostgresBinaries.ServerUser is null ? Path.GetTempPath() : "/tmp";

    public static ClusterFolder Create()
    {
        var name = Prefix + RandomNumberGenerator.GetHexString(16, lowercase: true);
        var unlocked = Path.Combine(Parent, "new-" + name);
        var path = Path.Combine(Parent, name);

        Directory.CreateDirectory(unlocked, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var @lock = new FileStream(Path.Combine(unlocked, OwnerFile), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        // For people who wonder whose it is.
        @lock.Write(Encoding.ASCII.GetBytes($"{Environment.ProcessId}\n"));
        @lock.Flush();
        // Only now does it get the name that FindAbandoned looks for.
        Directory.Move(unlocked, path);
        return new ClusterFolder(path, @lock);
    }

    /// <summary>Folders whose owner was killed. The caller owns them now.</summary>
    public static IEnumerable<ClusterFolder> FindAbandoned()
    {
        foreach (var path in Directory.GetDirectories(Parent, Prefix + "*"))
        {
            FileStream @lock;
            try
            {
                @lock = new FileStream(Path.Combine(path, OwnerFile), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                continue;
            }

            yield return new ClusterFolder(path, @lock);
        }
    }

    /// <summary>
    ///     Whether the process that <c>postmaster.pid</c> names is the server of this folder, and not a stranger that got its id
    ///     after a restart of the machine.
    /// </summary>
    public bool HasRunningServer()
    {
        try
        {
            var processId = File.ReadLines(Path.Combine(Data, "postmaster.pid")).First();
            return new FileInfo($"/proc/{processId}/cwd").LinkTarget == Data;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return false;
        }
    }

    public void Delete()
    {
        try
        {
            // Before the lock file, so that the next start can finish what is interrupted here.
            if (Directory.Exists(Data))
            {
                Directory.Delete(Data, recursive: true);
            }

            Directory.Delete(FullName, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Left to the next start.
        }
    }

    public void Dispose() => _lock.Dispose();
}
