using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Storage.Internal;

/// <summary>A text as a literal of SQL, for where no service of a context is at hand that knows the mapping of its type.</summary>
public static class SqlLiteral
{
    public static string Of(string text)
        => StringTypeMapping.Default.GenerateSqlLiteral(text);
}
