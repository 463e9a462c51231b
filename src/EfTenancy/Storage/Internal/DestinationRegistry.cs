using System.Transactions;
using EfTenancy.Properties;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Storage.Internal;

/// <summary>Reads and writes the registry of destinations in the home database.</summary>
/// <param name="home">The home database.</param>
/// <param name="schema">The registry's schema.</param>
/// <param name="named">Databases that the application names in code; they count as registered.</param>
/// <param name="sources">Where connections come from.</param>
public sealed class DestinationRegistry(
    TenantDatabaseAddress home,
    string schema,
    IReadOnlyDictionary<string, TenantDatabaseAddress> named,
    TenantDataSources sources)
{
    private readonly DestinationRegistrySql _sql = new(schema);

    public TenantDatabaseAddress Home
        => home;

    public IReadOnlyDictionary<string, TenantDatabaseAddress> Named
        => named;

    public DestinationRegistrySql Sql
        => _sql;

    /// <summary>Everything; nothing where there is no registry yet. Several may wait for one reading, so that its error is each one's to tell, <see cref="FailureOf" />.</summary>
    public RegistryContent Read()
    {
        using var suppressed = new TransactionScope(TransactionScopeOption.Suppress);
        using var rental = Rent();
        var lease = rental.Enter();
        try
        {
            using var connection = rental.DataSource.OpenConnection();
            lease.Opened();
            try
            {
                return Read(connection);
            }
            catch (PostgresException exception) when (IsOlder(exception))
            {
                Upgrade(connection);
                return Read(connection);
            }
        }
        catch (PostgresException exception) when (IsMissing(exception))
        {
            return new RegistryContent([.. named.Keys.Order(StringComparer.Ordinal).Select(n => new RegisteredDatabase(n, null, IsFull: false))], []);
        }
        finally
        {
            lease.Leave();
        }
    }

    /// <summary>Work on an open connection, in one transaction if <paramref name="inTransaction" />; the tables are made if they are not there.</summary>
    public async Task<T> WithConnectionAsync<T>(
        Func<NpgsqlConnection, Task<T>> work,
        bool inTransaction,
        CancellationToken cancellationToken)
    {
        var rented = await OpenHomeAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = rented.ConfigureAwait(false);
        var connection = rented.Connection;

        try
        {
            return await RunAsync().ConfigureAwait(false);
        }
        catch (PostgresException exception) when (IsMissing(exception))
        {
            await CreateAsync(connection, cancellationToken).ConfigureAwait(false);
            return await RunAsync().ConfigureAwait(false);
        }
        catch (PostgresException exception) when (IsOlder(exception))
        {
            Upgrade(connection);
            return await RunAsync().ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw FailureOf(exception, tenantId: null)!;
        }

        async Task<T> RunAsync()
        {
            if (!inTransaction)
            {
                return await work(connection).ConfigureAwait(false);
            }

            var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await using var __ = transaction.ConfigureAwait(false);
            var result = await work(connection).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            return result;
        }
    }

    public Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
        => WithConnectionAsync(
            // It may run twice, and a parameter belongs to one command.
            c => ExecuteAsync(c, sql, cancellationToken, [.. parameters.Select(p => p.Clone())]), inTransaction: false, cancellationToken);

    /// <summary>Gives a tenant a place, unless it has one: then that is its place.</summary>
    public Task<RegistryContent> AssignAsync(
        string tenantId,
        Func<RegistryContent, TenantDestination> choose,
        string state,
        CancellationToken cancellationToken)
        => WithConnectionAsync(
            async connection =>
            {
                await ExecuteAsync(connection, DestinationRegistrySql.Lock, cancellationToken).ConfigureAwait(false);
                var content = Read(connection);
                if (content.Tenants.ContainsKey(tenantId))
                {
                    return content;
                }

                var destination = choose(content);
                if (destination.Database is { } database)
                {
                    await ExecuteAsync(
                        connection, _sql.UpsertDatabase, cancellationToken,
                        Text("name", database), Text("connection_string", null)).ConfigureAwait(false);
                }

                await ExecuteAsync(
                    connection, _sql.InsertTenant, cancellationToken,
                    Text("tenant_id", tenantId), Text("database_name", destination.Database),
                    Text("schema_name", destination.Schema), Text("state", state)).ConfigureAwait(false);
                return Read(connection);
            },
            inTransaction: true,
            cancellationToken);

    public static NpgsqlParameter Text(string name, string? value)
        => new(name, NpgsqlDbType.Text) { Value = (object?)value ?? DBNull.Value };

    public static NpgsqlParameter Texts(string name, IEnumerable<string?> values)
        => new(name, NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = values.ToArray() };

    public static async Task<int> ExecuteAsync(
        NpgsqlConnection connection,
        string sql,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        await using var _ = command.ConfigureAwait(false);
        command.Parameters.AddRange(parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>An open connection of the application's budget, with the settings of its connection string and nothing of a context.</summary>
    public Task<RentedConnection> OpenAsync(TenantDatabaseAddress database, bool forSchemas, CancellationToken cancellationToken)
        => RentedConnection.OpenAsync(sources.Rent(database, forSchemas, this, NpgsqlDataSource.Create), cancellationToken);

    private async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await ExecuteAsync(connection, _sql.Create, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new TenantDatabaseException(
                TenancyStrings.RegistryNotCreated(_sql.Schema, exception.MessageText),
                TenantDatabaseError.AccessDenied, tenantId: null, TenantDestination.Home, exception);
        }
    }

    // Once in the registry's life, and by whoever meets it first, so that no call has to be made for it.
    private void Upgrade(NpgsqlConnection connection)
    {
        try
        {
            using var transaction = connection.BeginTransaction();
            using var command = new NpgsqlCommand(_sql.Upgrade, connection, transaction);
            command.ExecuteNonQuery();
            transaction.Commit();
        }
        catch (PostgresException exception)
            when (exception.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.LockNotAvailable
                or PostgresErrorCodes.ReadOnlySqlTransaction)
        {
            throw new InvalidOperationException(TenancyStrings.RegistryIsOlder(_sql.Schema, exception.MessageText), exception);
        }
    }

    /// <summary>That the home database cannot be used, for the tenant who needs it; null for an error that says nothing about it.</summary>
    public TenantDatabaseException? FailureOf(Exception exception, string? tenantId)
        => TenantDatabaseFailure.OfRegistry(exception, tenantId, sources.Budget.Ceiling);

    private async Task<RentedConnection> OpenHomeAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await RentedConnection.OpenAsync(Rent(), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (FailureOf(exception, tenantId: null) is { } failure)
        {
            throw failure;
        }
    }

    private TenantDataSources.Rental Rent()
        => sources.RentPlain(home);

    private RegistryContent Read(NpgsqlConnection connection)
    {
        var databases = new List<RegisteredDatabase>();
        var tenants = new List<RegisteredDestination>();

        using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands = { new NpgsqlBatchCommand(_sql.SelectDatabases), new NpgsqlBatchCommand(_sql.SelectTenants) },
        };
        using var reader = batch.ExecuteReader();
        while (reader.Read())
        {
            databases.Add(new RegisteredDatabase(reader.GetString(0), Nullable(1), reader.GetBoolean(2)));
        }

        reader.NextResult();
        while (reader.Read())
        {
            tenants.Add(new RegisteredDestination(
                reader.GetString(0), TenantDestination.Of(Nullable(1), Nullable(2)), reader.GetBoolean(3), reader.GetString(4))
            {
                Other = TenantDestination.Of(Nullable(5), Nullable(6)),
                Proof = Nullable(7),
            });
        }

        databases.AddRange(named.Keys.Except(databases.Select(d => d.Name)).Select(n => new RegisteredDatabase(n, null, IsFull: false)));
        return new RegistryContent([.. databases.OrderBy(d => d.Name, StringComparer.Ordinal)], tenants);

        string? Nullable(int column)
            => reader.IsDBNull(column) ? null : reader.GetString(column);
    }

    private static bool IsOlder(PostgresException exception)
        => exception.SqlState == PostgresErrorCodes.UndefinedColumn;

    private static bool IsMissing(PostgresException exception)
        => exception.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName;
}
