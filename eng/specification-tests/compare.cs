// Lists the tests that fail in one mode and not in the mode it builds upon, and tells them from those in the file of expected ones.
//   dotnet run compare.cs FOLDER BASE MODE EXPECTED      exit code 1: there are failures that nobody expected
using System.IO.Enumeration;
using System.Xml;

var (folder, baseMode, mode, expectedFile) = (args[0], args[1], args[2], args[3]);
var before = Read(baseMode);
var after = Read(mode);
var expected = File.ReadLines(expectedFile).Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#').ToList();

var failing = after.Where(t => t.Value.Failed && before.TryGetValue(t.Key, out var b) && !b.Failed).ToList();
var unexpected = failing.Where(t => !expected.Any(e => Names(e, t.Key))).ToList();
var passing = expected.Where(e => !failing.Any(t => Names(e, t.Key))).ToList();
var missing = before.Keys.Where(n => !after.ContainsKey(n)).ToList();

Console.WriteLine($"{before.Count} tests {baseMode}, {after.Count} {mode}");
Console.WriteLine($"passed or skipped in both: {after.Count(t => !t.Value.Failed && before.TryGetValue(t.Key, out var b) && !b.Failed)}");
Console.WriteLine($"failed in both:            {after.Count(t => t.Value.Failed && before.TryGetValue(t.Key, out var b) && b.Failed)}");
Console.WriteLine($"failed {baseMode} only:         {before.Count(b => b.Value.Failed && after.TryGetValue(b.Key, out var t) && !t.Failed)}");
Console.WriteLine($"failed {mode} only:       {failing.Count}, of them expected: {failing.Count - unexpected.Count}");
Console.WriteLine($"in one run only:           {missing.Count + after.Keys.Count(n => !before.ContainsKey(n))}");

Print("Failed as expected", failing.Except(unexpected));
Print("UNEXPECTED: failed", unexpected);
Print("UNEXPECTED: not run", missing.Select(n => KeyValuePair.Create(n, before[n])));
if (passing.Count > 0)
{
    Console.WriteLine($"\n# Expected to fail, and did not: take them out of {Path.GetFileName(expectedFile)}");
    passing.ForEach(Console.WriteLine);
}

return unexpected.Count + missing.Count > 0 ? 1 : 0;

// An entry names a method with all of its cases, or cases and methods where * stands for any.
static bool Names(string entry, string test)
    => entry.Contains('(') || entry.Contains('*') ? FileSystemName.MatchesSimpleExpression(entry, test, ignoreCase: false) : Method(test) == entry;

static string Method(string test) => test.Split('(', 2)[0];

static string Class(string test) => Method(test)[..Method(test).LastIndexOf('.')];

static void Print(string title, IEnumerable<KeyValuePair<string, Test>> tests)
{
    foreach (var group in tests.OrderBy(t => t.Key, StringComparer.Ordinal).GroupBy(t => Class(t.Key)))
    {
        Console.WriteLine($"\n# {title}: {group.Key} ({group.Count()})");
        foreach (var (name, test) in group)
        {
            Console.WriteLine($"{name[(group.Key.Length + 1)..]}\n      {test.Message}");
        }
    }
}

Dictionary<string, Test> Read(string name)
{
    var tests = new Dictionary<string, Test>(StringComparer.Ordinal);
    var files = Directory.GetFiles(Path.Combine(folder, name), "*.trx");
    var logs = Directory.GetFiles(Path.Combine(folder, name), "*.log");
    if (files.Length == 0 || files.Length != logs.Length)
    {
        throw new InvalidOperationException($"{name} has {files.Length} results of {logs.Length} chunks: one ended before its time, or was ended.");
    }

    foreach (var file in files)
    {
        using var reader = XmlReader.Create(file, new XmlReaderSettings { CheckCharacters = false });
        string? test = null;
        var failed = false;
        while (reader.Read())
        {
            if (reader is { NodeType: XmlNodeType.Element, LocalName: "UnitTestResult" })
            {
                test = reader.GetAttribute("testName")!;
                failed = reader.GetAttribute("outcome") == "Failed";
                tests[test] = new Test(failed || (tests.TryGetValue(test, out var twin) && twin.Failed), "");
            }
            else if (failed && reader is { NodeType: XmlNodeType.Element, LocalName: "Message" })
            {
                tests[test!] = new Test(true, Short(reader.ReadElementContentAsString()));
                failed = false;
            }
        }
    }

    return tests;
}

static string Short(string message)
{
    var lines = string.Join(" / ", message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Take(3));
    return lines.Length > 300 ? lines[..300] : lines;
}

internal sealed record Test(bool Failed, string Message);
