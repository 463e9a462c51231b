using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfTenancy.Storage.Internal;

/// <summary>A query or a bulk write. If the connection is opened for it alone, it tells the session the tenant's schema itself: one round trip instead of two.</summary>
public class TenancyRelationalCommand(RelationalCommandBuilderDependencies dependencies, TenancyRelationalConnection connection)
    : RelationalCommand(dependencies, commandText: "", logCommandText: "", parameters: [])
{
    public override DbCommand CreateDbCommand(RelationalCommandParameterObject parameterObject, Guid commandId, DbCommandMethod commandMethod)
    {
        var command = base.CreateDbCommand(parameterObject, commandId, commandMethod);
        return connection.CommandTells && command is NpgsqlCommand provided ? connection.TellWith(provided) : command;
    }

    public override int ExecuteNonQuery(RelationalCommandParameterObject parameterObject)
    {
        using var _ = Execute();
        return base.ExecuteNonQuery(parameterObject);
    }

    public override async Task<int> ExecuteNonQueryAsync(
        RelationalCommandParameterObject parameterObject,
        CancellationToken cancellationToken = default)
    {
        using var _ = Execute();

        // EF makes the command, of the tenant's connection, before it opens that.
        await connection.FindPlaceAsync(cancellationToken).ConfigureAwait(false);
        return await base.ExecuteNonQueryAsync(parameterObject, cancellationToken).ConfigureAwait(false);
    }

    public override RelationalDataReader ExecuteReader(RelationalCommandParameterObject parameterObject)
    {
        using var _ = Execute();
        return base.ExecuteReader(parameterObject);
    }

    public override async Task<RelationalDataReader> ExecuteReaderAsync(
        RelationalCommandParameterObject parameterObject,
        CancellationToken cancellationToken = default)
    {
        using var _ = Execute();
        return await base.ExecuteReaderAsync(parameterObject, cancellationToken).ConfigureAwait(false);
    }

    private Execution Execute()
    {
        connection.CommandTells = true;
        return new Execution(connection);
    }

    private readonly struct Execution(TenancyRelationalConnection connection) : IDisposable
    {
        public void Dispose()
            => connection.CommandTells = false;
    }
}
