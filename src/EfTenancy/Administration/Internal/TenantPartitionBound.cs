using System.Text;

namespace EfTenancy.Administration.Internal;

/// <summary>Reads the bound of a list partition as PostgreSQL writes it.</summary>
public static class TenantPartitionBound
{
    private const string Start = "FOR VALUES IN (";

    /// <summary>The values; null for a DEFAULT partition.</summary>
    public static IReadOnlyList<string>? Parse(string bound)
    {
        if (!bound.StartsWith(Start, StringComparison.Ordinal))
        {
            return null;
        }

        var values = new List<string>();
        for (var i = Start.Length; i < bound.Length && bound[i] != ')'; i++)
        {
            if (bound[i] == '\'')
            {
                values.Add(Quoted(bound, ref i));
            }
            else if (bound[i] is not (',' or ' '))
            {
                var end = bound.AsSpan(i).IndexOfAny(',', ')') + i;
                values.Add(bound[i..end]);
                i = end - 1;
            }
        }

        return values;
    }

    // PostgreSQL doubles quotes and, since the connection has standard_conforming_strings, nothing else.
    private static string Quoted(string bound, ref int i)
    {
        var value = new StringBuilder();
        for (i++; bound[i] != '\'' || (i + 1 < bound.Length && bound[i + 1] == '\''); i++)
        {
            value.Append(bound[i]);
            if (bound[i] == '\'')
            {
                i++;
            }
        }

        return value.ToString();
    }
}
