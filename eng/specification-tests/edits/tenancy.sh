# What gives the fixtures' contexts tenants.

# Options and services of all fixtures; those of interceptors and of concurrency make theirs themselves.
edit "$npgsql/TestUtilities/NpgsqlTestStore.cs" \
    'builder\.UseNpgsql\((\w+), npgsqlOptionsBuilder\)' 'builder.UseNpgsql(\1, npgsqlOptionsBuilder).UseSpecificationTenancy()'
for file in "$npgsql/TestUtilities/NpgsqlTestStoreFactory.cs" "$npgsql"/*Interception*.cs; do
    [[ "$file" == *Materialization* ]] || edit "$file" 'AddEntityFrameworkNpgsql\(\)' '&.AddSpecificationTenancy()'
done
edit "$npgsql/F1NpgsqlFixture.cs" 'NpgsqlTestHelpers\.Instance' 'TenancyTestHelpers.Instance'

# Tables and generated code that EF has no part in.
edit "$npgsql/TestUtilities/NpgsqlTestStore.cs" '^( +)ExecuteScript\(_scriptPath\);' '&\n\1SpecificationTenancy.AddTenantColumns(Connection);'
edit "$npgsql/TestUtilities/NpgsqlPrecompiledQueryTestHelpers.cs" 'typeof\(NpgsqlConnection\)\.Assembly\.Location\);' \
    '&\n        yield return MetadataReference.CreateFromFile(SpecificationTenancy.Assembly);'

# The entity that a test gives to EF's internals as read by a query, without what a query reads besides.
edit "$core/ComplexTypesTrackingTestBase.cs" \
    '(context\.Model\.FindEntityType\(typeof\(TEntity\)\)!), pub, Snapshot\.Empty' '\1, pub, SpecificationTenancy.ShadowValues(\1)'
