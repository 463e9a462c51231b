# SQL that the tests write themselves: it returns the tenant, or takes it (docs/limits.md).

# Select lists.
edit "$relational/BulkUpdates/NorthwindBulkUpdatesRelationalTestBase.cs" '\[(Discount|Address)\]$' '&" + TenantSql.AndColumn + @"'
edit "$relational/Query/FromSqlQueryTestBase.cs" '\[Discontinued\]$' '&" + TenantSql.AndColumn + @"'
edit "$relational/Query/FromSqlQueryTestBase.cs" '(\[Address\]|NULL AS \[CustomerID\])( FROM \[Customers\])' '\1" + TenantSql.AndColumn + "\2'
edit "$relational/Query/GearsOfWarFromSqlQueryTestBase.cs" '(\[SynergyWithId\])( FROM \[Weapons\])' '\1" + TenantSql.AndColumn + "\2'
edit "$npgsql/ExecutionStrategyTest.cs" '^( +)(SELECT "Id", "Name")(.*)$' '\1\2\n\1""" + TenantSql.AndColumn + """\n\1\3'
edit "$npgsql/TestModels/Northwind/NorthwindNpgsqlContext.cs" 'Entity<CustomerQuery>\(\)\.ToSqlQuery\(' 'Entity<CustomerQuery>().ToSqlQueryWithTenant('
edit "$relational/Query/AdHocMiscellaneousQueryRelationalTestBase.cs" '@"SELECT cast\(null as int\) AS MyValue"' '& + TenantSql.AndDefault'

# SqlQuery of a type that is an entity would go past its filter, and is refused: FromSql is what the message names.
edit "$relational/Query/SharedTypeQueryRelationalTestBase.cs" 'Database\.SqlQueryRaw<ViewQuery24601>' 'FromSqlOrSqlQueryRaw<ViewQuery24601>'
edit "$relational/Query/SharedTypeQueryRelationalTestBase.cs" '"Select \* from STET"' '"Select * from \\"STET\\""' # FromSql applies this filter of the model too.
edit "$relational/Query/SqlQueryTestBase.cs" 'Database\.SqlQueryRaw<CustomerQuery>' 'FromSqlOrSqlQueryRaw<CustomerQuery>'

# An interceptor that puts a command of its own in the place of EF's has to take the parameters over.
edit "$relational/CommandInterceptionTestBase.cs" \
    '^( +)newCommand\.CommandText = command\.CommandText\.Replace\("Singularity", "Brane"\);' '&\n\1TenantSql.CopyParameters(command, newCommand);'

# Tables, functions and procedures.
edit "$npgsql/Query/AdHocMiscellaneousQueryNpgsqlTest.cs" \
    '^CREATE TABLE "ZeroKey" \("Id" int' '&\n""" + TenantSql.AndColumnDefinition + """\n'
edit "$npgsql/Query/UdfDbFunctionNpgsqlTests.cs" 'ExecuteSqlRawAsync\($' 'CreateRoutinesAsync('
edit "$relational/Update/StoredProcedureUpdateTestBase.cs" 'ExecuteSqlRawAsync\(batch\)' 'CreateRoutinesAsync(batch)'
for file in "$relational/Update/StoredProcedureUpdateTestBase.cs" "$npgsql/Update/StoredProcedureUpdateNpgsqlTest.cs"; do
    edit "$file" 'spb => spb' '&.HasTenantParameter()'
done
