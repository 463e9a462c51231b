using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Xml.Linq;
using Xunit;

namespace EfTenancy.Tests;

/// <summary>What NuGet gives to those who reference the packages.</summary>
public class PackagesTest
{
    // EFCore.Design, which projects that call `dotnet ef` reference, takes exact versions of Roslyn: another one here would be NU1608 there.
    [Theory]
    [InlineData("EfTenancy", "Microsoft.EntityFrameworkCore.Relational", "Npgsql.EntityFrameworkCore.PostgreSQL")]
    [InlineData("EfTenancy.Design", "EfTenancy", "Microsoft.EntityFrameworkCore.Relational", "Npgsql.EntityFrameworkCore.PostgreSQL")]
    public async Task A_package_depends_on_what_its_users_can_have_beside_it(string project, params string[] dependencies)
    {
        using var package = await PackAsync(project);
        var specification = XDocument.Load(package.GetEntry(project + ".nuspec")!.Open());

        Assert.Equal(
            dependencies,
            specification.Descendants().Where(e => e.Name.LocalName == "dependency").Select(e => (string)e.Attribute("id")!).Order(StringComparer.Ordinal));
        Assert.Equal("README.md", specification.Descendants().Single(e => e.Name.LocalName == "readme").Value);
        Assert.NotNull(package.GetEntry("README.md"));
        Assert.NotNull(package.GetEntry($"lib/net10.0/{project}.xml"));
    }

    [Fact]
    public async Task The_design_package_tells_dotnet_ef_where_its_services_are()
    {
        using var package = await PackAsync("EfTenancy.Design");

        Assert.NotNull(package.GetEntry("build/EfTenancy.Design.targets"));
    }

    private static async Task<ZipArchive> PackAsync(string project)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var directory = Directory.CreateTempSubdirectory("eftenancy-packages-").FullName;
        try
        {
            using var pack = Process.Start(new ProcessStartInfo(
                "dotnet", ["pack", Path.Combine(SourceFolder(), "..", "..", "src", project), "--no-build", "-c", configuration, "-o", directory])
            {
                RedirectStandardOutput = true,
            })!;
            var output = await pack.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await pack.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(pack.ExitCode == 0, output);

            var content = await File.ReadAllBytesAsync(Directory.GetFiles(directory, "*.nupkg").Single(), TestContext.Current.CancellationToken);
            return new ZipArchive(new MemoryStream(content));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string SourceFolder([CallerFilePath] string file = "")
        => Path.GetDirectoryName(file)!;
}
