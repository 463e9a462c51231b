using EfTenancy.Diagnostics.Internal;
using EfTenancy.Infrastructure;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Update.Internal;

/// <summary>Streams entities of one type into their table by one binary COPY.</summary>
public sealed class TenantBulkInserter<TEntity>
    where TEntity : class
{
    private readonly DbContext _context;
    private readonly CurrentTenant _current;
    private readonly BulkInsertPlan<TEntity> _plan;

    private TenantBulkInserter(DbContext context)
    {
        _context = context;
        _current = context.GetService<CurrentTenant>();
        _plan = BulkInsertPlan<TEntity>.For(context);
    }

    public static TenantBulkInserter<TEntity> For(TenancyFacade tenancy)
    {
        ArgumentNullException.ThrowIfNull(tenancy);

        return new TenantBulkInserter<TEntity>(tenancy.Context);
    }

    private IDiagnosticsLogger<DbLoggerCategory.Update> Logger
        => _context.GetService<IDiagnosticsLogger<DbLoggerCategory.Update>>();

    public async Task<long> InsertAsync(
        IAsyncEnumerable<TEntity> entities,
        TenantOfRows<TEntity> tenantOfRows,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entities);
        if (_plan.Tenant is null && tenantOfRows.IsExplicit)
        {
            throw new InvalidOperationException(TenancyStrings.EntityIsNotMultiTenanted(_plan.EntityType.DisplayName()));
        }

        var tenantOf = _plan.Tenant is null ? null : tenantOfRows.Resolve(_current);

        var enumerator = entities.GetAsyncEnumerator(cancellationToken);
        await using var _ = enumerator.ConfigureAwait(false);
        if (!await enumerator.MoveNextAsync().ConfigureAwait(false))
        {
            return 0;
        }

        await _context.Database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var rows = await CopyAsync(enumerator, tenantOf, cancellationToken).ConfigureAwait(false);
            Logger.BulkInserted(_context, _plan.Table.SchemaQualifiedName, rows);
            return rows;
        }
        catch (PostgresException exception) when (MissingPartition.In(exception) is { } missing)
        {
            var unknown = missing.ToUnknownTenant(tenantOfRows.FirstAt(missing.CopiedRow));
            Logger.UnknownTenantRefused(_context, unknown);
            throw unknown;
        }
        finally
        {
            await _context.Database.CloseConnectionAsync().ConfigureAwait(false);
        }
    }

    private async Task<long> CopyAsync(
        IAsyncEnumerator<TEntity> entities,
        Func<TEntity, long, string>? tenantOf,
        CancellationToken cancellationToken)
    {
        var first = entities.Current;
        var written = _plan.Columns.Where(c => c.HasValue(first)).ToArray();
        var left = _plan.Columns.Except(written).ToArray();

        var connection = (NpgsqlConnection)_context.Database.GetDbConnection();
        var importer = await connection.BeginBinaryImportAsync(CopyCommand(written), cancellationToken).ConfigureAwait(false);
        await using var _ = importer.ConfigureAwait(false);
        if (_context.Database.GetCommandTimeout() is { } seconds)
        {
            // PostgreSQL checks foreign keys at the end of a COPY, which may take longer than the rows themselves.
            importer.Timeout = seconds == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(seconds);
        }

        long row = 0;
        do
        {
            row++;
            var entity = entities.Current;
            RefuseLateValues(entity, left);

            await importer.StartRowAsync(cancellationToken).ConfigureAwait(false);
            if (tenantOf is not null)
            {
                var tenantId = tenantOf(entity, row);
                RefuseOtherTenant(entity, tenantId);
                await WriteTenantAsync(importer, tenantId, cancellationToken).ConfigureAwait(false);
            }

            foreach (var column in written)
            {
                var write = column.Write(importer, entity, cancellationToken);
                if (!write.IsCompletedSuccessfully)
                {
                    await write.ConfigureAwait(false);
                }
            }
        }
        while (await entities.MoveNextAsync().ConfigureAwait(false));

        return (long)await importer.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }

    // As the type that the model gives the column.
    private Task WriteTenantAsync(NpgsqlBinaryImporter importer, string tenantId, CancellationToken cancellationToken)
        => _current.IdConverter.ToStored(_current.IdConverter.ToValue(tenantId)) switch
        {
            string text => importer.WriteAsync(text, NpgsqlDbType.Text, cancellationToken),
            Guid guid => importer.WriteAsync(guid, NpgsqlDbType.Uuid, cancellationToken),
            int number => importer.WriteAsync(number, NpgsqlDbType.Integer, cancellationToken),
            var number => importer.WriteAsync((long)number!, NpgsqlDbType.Bigint, cancellationToken),
        };

    private string CopyCommand(IEnumerable<BulkInsertColumn<TEntity>> columns)
    {
        var sql = _context.GetService<ISqlGenerationHelper>();
        var names = columns.Select(c => c.Name);
        if (_plan.TenantColumn is { } tenantColumn)
        {
            names = names.Prepend(tenantColumn);
        }

        return $"COPY {sql.DelimitIdentifier(_plan.Table.Name, _plan.Table.Schema)} "
            + $"({string.Join(", ", names.Select(sql.DelimitIdentifier))}) FROM STDIN (FORMAT BINARY)";
    }

    private void RefuseLateValues(TEntity entity, BulkInsertColumn<TEntity>[] left)
    {
        foreach (var column in left)
        {
            if (column.HasValue(entity))
            {
                throw new InvalidOperationException(
                    TenancyStrings.BulkInsertMixedKeys(_plan.EntityType.DisplayName(), column.Property.Name));
            }
        }
    }

    private void RefuseOtherTenant(TEntity entity, string tenantId)
    {
        if (!_plan.Tenant!.IsShadowProperty()
            && _plan.Tenant.GetGetter().GetClrValue(entity) is var given
            && !_current.IdConverter.IsUnset(given)
            && _current.IdConverter.ToTenantIdOf(given) is var own
            && _current.Normalize(own, _plan.Tenant.Name) != tenantId)
        {
            var message = TenancyStrings.CrossTenantWrite(
                _plan.EntityType.DisplayName(), _plan.Table.SchemaQualifiedName, own, tenantId);
            Logger.CrossTenantWriteRefused(_context, own, message);
            throw new CrossTenantWriteException(message, own, tenantId);
        }
    }
}
