using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfTenancy.Storage.Internal;

/// <summary>A query or a bulk write. If the connection is opened for it alone, it tells the session the tenant's schema itself: one round trip instead of two.</summary>
public class TenancyRelationalCommand(RelationalCommandBuilderDependencies dependencies, TenancyRelationalConnection connection)
    : RelationalCommand(dependencies, commandText: "", logCommandText: "", parameters: [])
{
    private bool _isExecuting;

    public override DbCommand CreateDbCommand(RelationalCommandParameterObject parameterObject, Guid commandId, DbCommandMethod commandMethod)
    {
        var command = base.CreateDbCommand(parameterObject, commandId, commandMethod);
        return _isExecuting && command is NpgsqlCommand provided ? connection.TellWith(provided) : command;
    }

    public override int ExecuteNonQuery(RelationalCommandParameterObject parameterObject)
    {
        Begin();
        try
        {
            return base.ExecuteNonQuery(parameterObject);
        }
        finally
        {
            End();
        }
    }

    public override async Task<int> ExecuteNonQueryAsync(
        RelationalCommandParameterObject parameterObject,
        CancellationToken cancellationToken = default)
    {
        Begin();
        try
        {
            return await base.ExecuteNonQueryAsync(parameterObject, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            End();
        }
    }

    public override RelationalDataReader ExecuteReader(RelationalCommandParameterObject parameterObject)
    {
        Begin();
        try
        {
            return base.ExecuteReader(parameterObject);
        }
        finally
        {
            End();
        }
    }

    public override async Task<RelationalDataReader> ExecuteReaderAsync(
        RelationalCommandParameterObject parameterObject,
        CancellationToken cancellationToken = default)
    {
        Begin();
        try
        {
            return await base.ExecuteReaderAsync(parameterObject, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            End();
        }
    }

    private void Begin()
        => connection.CommandTells = _isExecuting = true;

    private void End()
        => connection.CommandTells = _isExecuting = false;
}
