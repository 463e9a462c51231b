using System.Reflection;
using System.Runtime.CompilerServices;
using Xunit;

namespace EfTenancy.Tests;

/// <summary>
///     The public API, as reviewed text beside the project. A change of it is a visible difference: run the test, look at what it wrote
///     to the file, and commit that.
/// </summary>
public class PublicApiTest
{
    [Fact]
    public void Public_api_is_the_reviewed_one()
    {
        var file = Path.Combine(SourceFolder(), "..", "..", "src", "EfTenancy", "PublicApi.txt");
        var reviewed = File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : "";
        var actual = string.Concat(PublicTypes().SelectMany(Describe).Select(l => l + "\n"));

        if (actual != reviewed && Environment.GetEnvironmentVariable("CI") is null)
        {
            File.WriteAllText(file, actual);
        }

        Assert.Equal(reviewed, actual);
    }

    // Internal namespaces and conventions are reachable, not promised.
    private static IEnumerable<Type> PublicTypes()
        => typeof(TenancyDefaults).Assembly.GetExportedTypes()
            .Where(t => t.Namespace?.EndsWith("Internal", StringComparison.Ordinal) != true
                && t.Namespace?.EndsWith("Conventions", StringComparison.Ordinal) != true)
            .OrderBy(t => t.FullName, StringComparer.Ordinal);

    private static IEnumerable<string> Describe(Type type)
        => type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
            .Where(m => m is not Type && m is not MethodInfo { IsSpecialName: true }
                && !m.IsDefined(typeof(CompilerGeneratedAttribute)))
            .Select(m => "    " + Describe(m))
            .Order(StringComparer.Ordinal)
            .Prepend($"{type.Namespace}.{Name(type)}" + (type.BaseType is { } b && b != typeof(object) ? " : " + Name(b) : ""));

    private static string Describe(MemberInfo member)
        => member switch
        {
            MethodInfo method => $"{Name(method.ReturnType)} {method.Name}{Generics(method.GetGenericArguments(), method.IsGenericMethod)}({Parameters(method)})",
            ConstructorInfo constructor => $"new({Parameters(constructor)})",
            PropertyInfo property => $"{Name(property.PropertyType)} {property.Name} {{ {(property.CanRead ? "get; " : "")}{(property.SetMethod?.IsPublic == true ? "set; " : "")}}}",
            FieldInfo field => $"{Name(field.FieldType)} {field.Name}" + (field.IsLiteral ? $" = {field.GetRawConstantValue()}" : ""),
            _ => member.ToString()!,
        };

    private static string Parameters(MethodBase method)
        => string.Join(
            ", ", method.GetParameters().Select(p => $"{Name(p.ParameterType)} {p.Name}" + (p.HasDefaultValue ? $" = {p.DefaultValue ?? "null"}" : "")));

    private static string Name(Type type)
        => type.IsGenericParameter ? type.Name
            : type.IsArray ? Name(type.GetElementType()!) + "[]"
            : type.IsGenericType ? type.Name.Split('`')[0] + Generics(type.GetGenericArguments(), true)
            : type.Name;

    private static string Generics(Type[] arguments, bool isGeneric)
        => isGeneric ? $"<{string.Join(", ", arguments.Select(Name))}>" : "";

    private static string SourceFolder([CallerFilePath] string path = "")
        => Path.GetDirectoryName(path)!;
}
