using System.Collections.Concurrent;
using System.Reflection;
using System.Reflection.Emit;

namespace EfTenancy.Metadata.Internal;

/// <summary>
///     Objects with the given properties, as <c>HasData(new { Id = 1, TenantId = "…" })</c> would have them: EF reads the seeds of
///     shadow properties by reflection from the type of the object, so the type must be there.
/// </summary>
public static class AnonymousSeed
{
    private static readonly ModuleBuilder Module = AssemblyBuilder
        .DefineDynamicAssembly(new AssemblyName("EfTenancy.Seeds"), AssemblyBuilderAccess.Run).DefineDynamicModule("Seeds");

    private static readonly ConcurrentDictionary<string, Lazy<Type>> Types = new();

    public static object Create(IDictionary<string, object?> values)
    {
        var type = Types.GetOrAdd(
            string.Join('\n', values.Keys),
            static (_, names) => new Lazy<Type>(() => Define(names)),
            values.Keys).Value;

        var seed = Activator.CreateInstance(type)!;
        foreach (var (name, value) in values)
        {
            type.GetField(FieldName(name))!.SetValue(seed, value);
        }

        return seed;
    }

    private static Type Define(IEnumerable<string> names)
    {
        lock (Module)
        {
            var type = Module.DefineType("Seed" + Types.Count + Guid.NewGuid().ToString("N"), TypeAttributes.Public);
            foreach (var name in names)
            {
                var field = type.DefineField(FieldName(name), typeof(object), FieldAttributes.Public);
                var getter = type.DefineMethod(
                    "get_" + name, MethodAttributes.Public | MethodAttributes.SpecialName, typeof(object), Type.EmptyTypes);
                var il = getter.GetILGenerator();
                il.Emit(OpCodes.Ldarg_0);
                il.Emit(OpCodes.Ldfld, field);
                il.Emit(OpCodes.Ret);
                type.DefineProperty(name, PropertyAttributes.None, typeof(object), null).SetGetMethod(getter);
            }

            return type.CreateType();
        }
    }

    private static string FieldName(string property)
        => "<" + property + ">";
}
