using EfTenancy.Administration;
using EfTenancy.Storage;

namespace EfTenancy.Properties;

/// <summary>Every message a user can see. Each names what it is about and ends with the call that mends it.</summary>
internal static class TenancyStrings
{
    public static string DefaultTenantUsageDisabled
        => "No tenant was named, and the default tenant is disabled by DisableDefaultTenant(). Open the context with "
            + "factory.CreateDbContext(\"tenant\") or db.Tenancy().Use(\"tenant\"), or register an ITenantAccessor that knows the tenant.";

    public static string TenantIdIsBlank
        => "A tenant id must have at least one character that is not white space. To work without a tenant, do not call "
            + "Use(...) and let the ITenantAccessor answer null.";

    public static string TenantIdIsTooLong(int length, int maxLength)
        => $"A tenant id has at most {maxLength} characters (UTF-16 code units); this one has {length}. "
            + "Give the tenant a shorter id.";

    public static string TenantIdHasControlCharacter
        => "A tenant id must not hold control characters. Remove them where the id enters the application.";

    public static string TenantIdIsNotUnicode
        => "A tenant id must be valid Unicode; this one holds half of a surrogate pair. Mend the id where it enters the application.";

    public static string TenantChangedWhileTracking(string current, string requested)
        => $"The context works for tenant '{current}' and tracks entities, so it cannot change to tenant '{requested}'. "
            + "Create another context with factory.CreateDbContext(...), or call db.ChangeTracker.Clear() before Use(...).";

    public static string LeaseIsOver
        => "This was kept from a pooled context that has been returned to its pool, and works for somebody else now. "
            + "Call db.Tenancy() on the context that is at hand, and do not keep what it returns longer than the context.";

    public static string TenancyNotConfigured(string context)
        => $"The context '{context}' has no tenancy. Call UseTenancy(...) on its options.";

    public static string ProviderIsNotNpgsql
        => "EfTenancy works with PostgreSQL only. Call UseNpgsql(...) on the options that UseTenancy(...) is called on.";

    public static string TenancyServicesMissing
        => "UseTenancy(...) was called on a context that uses an internal service provider without EfTenancy's services. "
            + "Call AddEntityFrameworkTenancy() on the service collection given to UseInternalServiceProvider(...).";

    public static string SingletonOptionsChanged
        => "Contexts of one type that share an internal service provider share one model, so they must agree on UseTenancy(...). "
            + "Call UseTenancy(...) with the same policies on all contexts of one type, or build another service provider for UseInternalServiceProvider(...).";

    public static string ModelOfOtherOptions(string context)
        => $"The model of '{context}' was not built with its UseTenancy(...), so that rows of other tenants could be read: it comes from UseModel(...), "
            + "a compiled model, a cache given to UseMemoryCache(...), or a replaced service. Build it in OnModelCreating with the same UseTenancy(...), compile it "
            + "again (dotnet ef dbcontext optimize) where it is compiled, and give contexts with different policies caches of their own.";

    public static string ServiceIsReplaced(string service, string replacement, string own)
        => $"ReplaceService<{service}, {replacement}>() would take out what keeps tenants apart. Derive '{replacement}' from EfTenancy's '{own}', or leave it out.";

    public static string ServiceIsRegisteredOver(string service, string? registered, string own)
        => $"{(registered is null ? "Another service" : $"'{registered}'")} is registered as {service} behind EfTenancy's, by an extension of the options or for "
            + "UseInternalServiceProvider(...), and would take out what keeps tenants apart. "
            + $"Derive it from EfTenancy's '{own}', or leave it out.";

    public static string ServiceIsRegisteredInFront(string service, string? registered, string own)
        => $"{(registered is null ? "Another service" : $"'{registered}'")} is registered as {service} in front of EfTenancy's '{own}', which would take it out. "
            + "Call UseTenancy(...), or AddEntityFrameworkTenancy(), before what registers it.";

    public static string EntityIsNotMultiTenanted(string entity)
        => $"The entity '{entity}' is single-tenanted: its rows belong to no tenant. Make it multi-tenanted with "
            + $"modelBuilder.Entity<{entity}>().IsMultiTenanted().";

    public static string TenantPropertyTypeNotSupported(string entity, string property, string type)
        => $"The property '{entity}.{property}' is the tenant of a multi-tenanted entity and is of type '{type}'. It may be a string, Guid, "
            + "int, long, or a type with a value converter to one of these: "
            + $"configurationBuilder.Properties<{type}>().HaveConversion(...). Or make the entity global with modelBuilder.Entity<{entity}>().IsSingleTenanted().";

    public static string TenantPropertyTypesDiffer(string entity, string property, string type, string? other, string otherType)
        => $"The property '{entity}.{property}' is the tenant of a multi-tenanted entity and is of type '{type}', but "
            + (other is null ? $"UseTenantProperty<{otherType}>() says" : $"that of '{other}' is of type")
            + $" '{otherType}': all tenant properties of a model have one type. Change the type of one, or make the entity global with "
            + $"modelBuilder.Entity<{entity}>().IsSingleTenanted().";

    public static string TenantPropertyStoredDifferently(string entity, string other, string property)
        => $"The tenant property '{property}' of '{entity}' is converted to another type of the database than that of '{other}': one tenant would have "
            + "two names. Give both the same converter, HasConversion(...).";

    public static string TenantIdHasOtherType(string tenantId, string type)
        => $"The tenant id '{tenantId}' is not a {type}, which the model's tenant properties hold. Give the id as the text of one.";

    public static string TenantIdConverterChangesId(string tenantId, string type)
        => $"The tenant id '{tenantId}' comes back as another one from the value converter of '{type}': two tenants would be one. Mend the "
            + "converter given to HasConversion(...), or the id.";

    public static string ContextHasSeveralTenants(IEnumerable<string> tenantIds)
        => $"The context reads the rows of several tenants ({string.Join(", ", tenantIds)}) and belongs to none of them. Name the one to write to, or "
            + "to find by key, with db.Tenancy().ForTenant(\"tenant\").";

    public static string TenantGroupIsEmpty
        => "A group of tenants has at least one tenant: db.Tenancy().Use([\"a\", \"b\"]).";

    public static string CompiledForGroup(int count)
        => $"This query was compiled in a context that reads {count} tenants and runs in one that does not. Compile one for each number of tenants with "
            + "EF.CompileQuery(...), or do without it.";

    public static string IdOnlyTableIsPartitioned(string entity)
        => $"The table of '{entity}' is partitioned by tenant, so its keys must hold the tenant. Leave TenantKeyStyle.IdOnly, or call "
            + $"modelBuilder.Entity<{entity}>().DoNotPartition().";

    public static string IdOnlyTableWithoutTenant(string entity)
        => $"The entity '{entity}' is mapped to several tables, of which only one has the tenant, so an UPDATE of the others could not look for it. Map it to "
            + "one, UseTphMappingStrategy(), or leave TenantKeyStyle.IdOnly.";

    public static string IdOnlyProcedureWithoutTenant(string entity, string? procedure, string property)
        => $"The entity '{entity}' is updated by the stored procedure '{procedure}', which is not told whose row it is and would take another "
            + $"tenant's by its id. Give it the parameter HasOriginalValueParameter(\"{property}\") in place of HasParameter, and look for it there, or "
            + "leave TenantKeyStyle.IdOnly.";

    public static string ReferenceToOtherTenant(string dependent, string principal, string properties, string tenant)
        => $"A row of '{dependent}' of tenant '{tenant}' references through {properties} a row of '{principal}' that this tenant does not have. "
            + "Nothing was written. Reference a row of the same tenant, or write with db.Tenancy().ForTenant(\"tenant\").";

    public static string ExecuteUpdateSetsReference(string entity, string property, string principal)
        => $"ExecuteUpdate must not set '{entity}.{property}', which references '{principal}': under TenantKeyStyle.IdOnly only SaveChanges() looks whether the row that "
            + "is referenced belongs to the same tenant. Load the rows and call SaveChanges().";

    public static string AttachingNeedsList(string table)
        => $"The table {table} can become a partition only of a table that is partitioned by list. Choose ByList(), or copy its rows with "
            + "migrationBuilder.RebuildTableByCopying(...).";

    public static string FirstPartitionIsTaken(string table, string suffix)
        => $"The tenants whose rows the table {table} holds would share the suffix '{suffix}', which is the tenant's of that name. Nothing was changed. "
            + $"Give another one, migrationBuilder.PartitionExistingTable(\"{table}\", ..., firstPartition: \"...\").";

    public static string RegistryHasHalfRemovedTenants(string table, string registry)
        => $"The table {table} cannot leave the registry {registry}, which has tenants that are half removed. Nothing was changed. Finish what was begun, "
            + "db.Tenancy().Administration.RepairAsync(), and apply the migration again.";

    public static string FirstPartitionHasTooManyTenants(string table, string tenants)
        => $"The table {table} would be one partition for {tenants} tenants, and PostgreSQL keeps the values of a partition in a row of at most 8 kB. Nothing was "
            + "changed. Partition it by hash, ByHash(...), which takes any number of tenants, or have it copied into several partitions, "
            + $"migrationBuilder.RebuildTableByCopying(\"{table}\", ..., partitioning: x => x.ByManagedListPartitions(...)).";

    public static string TenantsOutOfReach(string table, string tenants)
        => $"The table {table} has rows of {tenants}, which the application takes for another tenant's id or for none, so no context reads them. None of "
            + $"its tenants was registered. Give these rows the id of their tenant, UPDATE \"{table}\" SET ..., or delete them, and apply the migration again.";

    public static string FirstPartitionIsNotPlain(string table, string suffix)
        => $"The suffix '{suffix}' of the first partition of {table} must be letters, digits and underscores (A-Z, a-z, 0-9, _), at least one, since "
            + "tenants are registered with it. Give another firstPartition.";

    public static string SwitchHasDependent(string table, string dependent)
        => $"{dependent} stands on the table {table} and would stay with the old one when a partitioned table takes its place. Drop it in a migration "
            + "before, migrationBuilder.Sql(\"DROP ...\"), and create it again after.";

    public static string ConversionBesideOtherSteps
        => "The steps of PartitionExistingTable(...) are transactions of their own: should one fail, the steps before it stay, and applying the migration again "
            + "would stumble over them. Move these calls into a migration of their own after this one, and what undoes them from Down into its Down.";

    public static string RowsWithoutTenant(string table, string column)
        => $"The table {table} has rows whose {column} is NULL, so they belong to no tenant and would be in no partition. It was left as it is. Give them the id "
            + $"of their tenant, UPDATE \"{table}\" SET \"{column}\" = ... WHERE \"{column}\" IS NULL, or delete them, and apply the migration again.";

    public static string RowsCameInBetween(string table)
        => $"The table {table} was empty when its conversion began and has rows now. Nothing was lost; apply the migration again, dotnet ef database update.";

    public static string TenantPropertyMakesTenantsAlike(string entity, string property, string mapping, string columnType)
        => $"The property '{entity}.{property}' is the tenant of a multi-tenanted entity, and {mapping} makes two tenants one. Map it as "
            + $"it is: modelBuilder.Entity<{entity}>().Property(e => e.{property}).HasColumnType(\"{columnType}\"), without a conversion, a fixed length or a "
            + "collation.";

    public static string FilterNameIsTaken(string entity)
        => $"The entity '{entity}' has a query filter named '{TenancyDefaults.QueryFilterName}', which is the name of the tenant filter. Give "
            + "yours another name in HasQueryFilter(...).";

    public static string MultiTenantedWithoutFilter(string entity)
        => $"The multi-tenanted entity '{entity}' has no tenant filter: it was added or changed after EfTenancy's conventions. Map it in "
            + $"OnModelCreating, modelBuilder.Entity<{entity}>().IsMultiTenanted(), and leave the filter '{TenancyDefaults.QueryFilterName}' alone; "
            + "or mark its class [SingleTenanted] if its rows are the same for all tenants.";

    public static string KeyWithoutTenant(string entity, string properties)
        => $"The key {properties} of the multi-tenanted entity '{entity}' does not hold the tenant, so a write could reach another tenant's row: it was changed "
            + $"after EfTenancy's conventions. Map it in OnModelCreating, modelBuilder.Entity<{entity}>().HasKey(...), and the tenant comes into it; or choose "
            + "UseTenantKeyStyle(TenantKeyStyle.IdOnly).";

    public static string IdOnlyTenantIsNoToken(string entity, string property)
        => $"The tenant property '{entity}.{property}' is no concurrency token, so an update could reach another tenant's row by its id: it was changed after "
            + "EfTenancy's conventions. Leave out IsConcurrencyToken(false) for it there.";

    public static string ReferenceLeavesTenant(string dependent, string principal, string properties)
        => $"The reference from '{dependent}' to '{principal}' through {properties} does not hold the tenant of '{dependent}' where the key of "
            + $"'{principal}' holds its tenant, so it could lead to another tenant's row. Map the foreign key with the tenant property of '{dependent}' "
            + "in that place, HasForeignKey(...), or make both entities single-tenanted with IsSingleTenanted().";

    public static string TenantAccessorAsksItself(string context)
        => $"The tenant of a {context} was asked for while its ITenantAccessor was finding it out, so the accessor used the same context. Let it look tenants "
            + "up by a context of its own: one without UseTenancy, or one that is told whose it is with Use(\"tenant\").";

    public static string ScopedTenantAccessor
        => "The ITenantAccessor is a scoped service, but the context is pooled or comes from a factory and gets the application's root "
            + "services, so it would see the tenant of another request. Register it with AddSingleton<ITenantAccessor, …>(), over "
            + "IHttpContextAccessor or an AsyncLocal<T>.";

    public static string TenantPropertyOnDerivedType(string entity, string property, string root)
        => $"The property '{entity}.{property}' stands on a derived type, but all rows of the hierarchy of '{root}' belong to a tenant. "
            + $"Move the property to '{root}', or leave it out of the model with modelBuilder.Entity<{entity}>().Ignore(e => e.{property}).";

    public static string DerivedTypeTenancyDiffers(string entity, string root)
        => $"The entity '{entity}' is set otherwise than its base '{root}': a hierarchy is multi-tenanted as a whole or not at all. "
            + $"Call IsMultiTenanted() or IsSingleTenanted() on '{root}' only.";

    public static string SharedRowsOfDerivedType(string entity, string root)
        => $"The entity '{entity}' asks for shared rows, which its base '{root}' does not have: a hierarchy is read through one filter. "
            + $"Share the rows of all of it with modelBuilder.Entity<{root}>().IsMultiTenanted(t => t.WithSharedRows()), or remove "
            + $"WithSharedRows() from '{entity}'.";

    public static string SingleTenantedReferencesMultiTenanted(string dependent, string principal, string properties)
        => $"The single-tenanted entity '{dependent}' references the multi-tenanted entity '{principal}' through {properties}. "
            + "A global row cannot point into one tenant's rows, since the key of those leads with the tenant. Make the dependent "
            + $"multi-tenanted with modelBuilder.Entity<{dependent}>().IsMultiTenanted(), or the principal global with "
            + $"modelBuilder.Entity<{principal}>().IsSingleTenanted().";

    public static string TenantReferencesMultiTenanted(string dependent, string property, string principal)
        => $"The tenant of '{dependent}' ('{property}') references the multi-tenanted entity '{principal}', whose key leads with a tenant "
            + $"of its own. Make the principal global with modelBuilder.Entity<{principal}>().IsSingleTenanted().";

    public static string GlobalIndexOnPartitionedTable(string entity, string properties)
        => $"The index on {properties} of '{entity}' is unique over all tenants, but the table is partitioned by tenant, and "
            + "PostgreSQL cannot keep a unique index over several partitions. Remove IsGlobal() to make it unique in each tenant, "
            + $"or call modelBuilder.Entity<{entity}>().DoNotPartition().";

    public static string PartitionedEntityIsSingleTenanted(string entity)
        => $"The entity '{entity}' is partitioned by tenant but single-tenanted. Call "
            + $"modelBuilder.Entity<{entity}>().IsMultiTenanted(), or DoNotPartition().";

    public static string PartitioningNotChosen(string entity)
        => $"The partitioning of '{entity}' names no strategy. Call ByList(), ByHash(...), ByRange() or one of the "
            + "ByExternallyManaged…Partitions() methods.";

    public static string PartitionTenantIdRefused(string entity, string suffix, string reason)
        => $"The partition '{suffix}' of '{entity}' names a tenant that cannot exist. {reason}";

    public static string PartitionSuffixIsNotPlain(string entity, string suffix, int maxLength)
        => $"The partition suffix '{suffix}' of '{entity}' must be 1 to {maxLength} letters, digits and underscores (A-Z, a-z, 0-9, _), since it "
            + "becomes part of a table's name. Give another suffix, or call AddTenants(...), which makes one from the tenant's id.";

    public static string NoPartitions(string entity, string strategy)
        => $"The entity '{entity}' is partitioned by {strategy} with no partition, so no row could be stored. Name the partitions, "
            + "or call the ByExternallyManaged…Partitions() method if somebody else makes them.";

    public static string PartitionHasNoValues(string entity, string suffix)
        => $"The list partition '{suffix}' of '{entity}' holds no tenant. Name its tenants: AddPartition(\"{suffix}\", \"tenant\").";

    public static string DuplicatePartitionSuffix(string entity, string suffix)
        => $"Two partitions of '{entity}' have the suffix '{suffix}'. Rename one, or name all tenants of a shared partition in one "
            + $"call: AddPartition(\"{suffix}\", \"tenant1\", \"tenant2\").";

    public static string DuplicateDefaultPartition(string entity, string first, string second)
        => $"The entity '{entity}' has two DEFAULT partitions: '{first}' and '{second}'. Remove one WithDefaultPartition(...).";

    public static string DuplicatePartitionValue(string entity, string tenantId, string first, string second)
        => $"The tenant '{tenantId}' is in two partitions of '{entity}': '{first}' and '{second}'. Remove it from one AddPartition(...).";

    public static string EmptyRange(string entity, string suffix, string from, string to)
        => $"The range partition '{suffix}' of '{entity}' goes from '{from}' to '{to}', which is empty: the lower bound must come "
            + "before the upper one, byte by byte. Swap the bounds in AddRange(...).";

    public static string OverlappingRanges(string entity, string first, string second)
        => $"The range partitions '{first}' and '{second}' of '{entity}' overlap. A range holds its lower bound and not its upper "
            + "one; change the bounds in AddRange(...).";

    public static string PartitionNameCollision(string entity, string suffix, string name, string other)
        => $"The partition '{suffix}' of '{entity}' would be named '{name}', which is the name of a table or partition of '{other}'. Give "
            + "it another suffix in AddPartition(...).";

    public static string TablePartitioningDiffers(string table, string first, string second)
        => $"The entities '{first}' and '{second}' share the table '{table}' and are partitioned differently. Give both the same "
            + "IsPartitionedByTenant(...) or DoNotPartition().";

    public static string SeveralRegistries(string first, string firstSchema, string second, string secondSchema)
        => $"The partitions of '{first}' follow the registry of tenants in schema '{firstSchema}', those of '{second}' the one in "
            + $"'{secondSchema}'. A model has one registry: give the same schema to all ByManagedListPartitions(...), or call "
            + "PartitionMultiTenantedEntitiesManaged(...) once.";

    public static string SystemColumnOnPartitionedTable(string entity, string property)
        => $"The property '{entity}.{property}' is the system column 'xmin', which PostgreSQL does not give back from an insert into a "
            + "partitioned table. Use a concurrency token of your own with IsConcurrencyToken(), or keep the table plain with "
            + $"modelBuilder.Entity<{entity}>().DoNotPartition().";

    public static string StorageParameterOnPartitionedTable(string entity, string parameter)
        => $"The storage parameter '{parameter}' of '{entity}' cannot be set on a partitioned table; PostgreSQL has such parameters on "
            + "partitions only. Remove HasStorageParameter(...), or call DoNotPartition().";

    public static string PartitionHoldsRows(string partition, string table)
        => $"The partition {partition} of {table} holds rows and is not dropped. Delete its rows, or move them to another partition, "
            + "and apply the migration again.";

    public static string CrossTenantWrite(string entity, string table, string? rowTenant, string contextTenant)
        => $"A row of entity '{entity}' (table '{table}') belongs to tenant '{rowTenant}', but the context works for tenant "
            + $"'{contextTenant}'. Nothing was written. Save it through a context of its tenant, factory.CreateDbContext(\"{rowTenant}\"), or "
            + $"open that tenant in this unit of work with db.Tenancy().ForTenant(\"{rowTenant}\").";

    public static string RowChangesTenant(string entity, string table, string? rowTenant, string? newTenant)
        => $"A row of entity '{entity}' (table '{table}') belongs to tenant '{rowTenant}' and was given the tenant '{newTenant}', but a row stays "
            + $"with its tenant. Nothing was written. Add a new one with db.Tenancy().ForTenant(\"{newTenant}\").Add(...), and remove this one.";

    public static string TenantAdministrationFailed(IEnumerable<(string Table, string Reason)> failures)
        => "Tables were left undone: " + string.Join(" ", failures.Select(f => $"{f.Table}: {f.Reason}"))
            + " The other tables are done. Repeat the call, or call RepairAsync(), to go on.";

    public static string LocksNotHad(TimeSpan patience, string reason)
        => $"Others held its locks for {patience.TotalSeconds:0.#} s, and no request was made to wait for more ({reason}). Look for long "
            + "transactions in pg_stat_activity and repeat the call, or raise TenantAdministrationOptions.RetryTimeout.";

    public static string TenantDisabled(string tenant, bool isBeingRemoved)
        => isBeingRemoved
            ? $"The tenant '{tenant}' is being removed, so no context opens for it. If that was cut off, call RemoveAsync([\"{tenant}\"]) again."
            : $"The tenant '{tenant}' is disabled, so no context opens for it. To let it work again, call EnableAsync([\"{tenant}\"]) of its "
                + "ITenantAdministration.";

    public static string NoTenantRegistry(string context)
        => $"The context '{context}' has no registry of tenants, since no entity has managed partitions: its tenants need not be added, and cannot be listed "
            + "or disabled. To have a registry, call UseTenancy(x => x.PartitionMultiTenantedEntitiesManaged(\"tenants\")).";

    public static string TenantRegistryMissing(string table)
        => $"The registry of tenants, {table}, is not in the database. Run 'dotnet ef migrations add' and apply the migration.";

    public static string TenantRegistryForbidden(string table, string? tenant, string reason)
        => $"The registry of tenants, {table}, refuses the user"
            + (tenant is null ? "" : $", so that nobody knows whether tenant '{tenant}' is disabled")
            + ". Grant USAGE on its schema and SELECT on the table; whoever adds and removes tenants needs INSERT, UPDATE and DELETE besides. "
            + $"({reason})";

    public static string TenantNotRegistered(IEnumerable<string> tenants)
        => $"The registry of tenants does not know {Quoted(tenants)}. Nothing was changed. Call ListAsync() to see who is registered, and "
            + "AddAsync([…]) to register.";

    public static string TenantsCannotBeAdded(IEnumerable<string> reasons)
        => "Tenants cannot be added. Nothing was changed." + string.Concat(reasons.Select(r => Environment.NewLine + "- " + r));

    public static string SuffixIsNotPlain(string tenant, string suffix)
        => $"The suffix '{suffix}' of tenant '{tenant}' must be letters, digits and underscores (A-Z, a-z, 0-9, _), at least one. Give another "
            + "one, or call AddAsync([…]), which makes one from the id.";

    public static string SuffixIsTooLong(string tenant, string suffix, string partition, int bytes)
        => $"The suffix '{suffix}' of tenant '{tenant}' is too long: '{partition}' has {bytes} bytes, and PostgreSQL's names have at most 63. "
            + "Give a shorter one, or call AddAsync([…]), which makes one from the id.";

    public static string SuffixIsTaken(string tenant, string suffix, string other)
        => $"The suffix '{suffix}' of tenant '{tenant}' is that of tenant '{other}'. To let them share a partition, give both the suffix in "
            + "AddAsync(id → suffix); else give this one another.";

    public static string TenantHasOtherSuffix(string tenant, string registered, string suffix)
        => $"The tenant '{tenant}' is registered with the suffix '{registered}' and cannot get '{suffix}'. Add it with the registered one, or "
            + "remove it first with RemoveAsync(…).";

    public static string TenantIsBeingRemoved(string tenant)
        => $"The tenant '{tenant}' is being removed. Finish that with RemoveAsync(…) or RepairAsync(), and add it then.";

    public static string CoTenantIsBeingAdded(string tenant, string suffix)
        => $"The tenant '{tenant}', which shares the suffix '{suffix}', is being added. Nothing was changed. Finish that with AddAsync(…) or "
            + "RepairAsync(), and remove then.";

    public static string TenantPartitionNameIsTaken(string tenant, string suffix, string name)
        => $"The suffix '{suffix}' of tenant '{tenant}' makes the name '{name}', which another table or partition has. Give another suffix in "
            + "AddAsync(id → suffix).";

    public static string TenantsCannotBeSplit(IEnumerable<string> reasons)
        => "Tenants cannot be given partitions of their own. Nothing was changed." + string.Concat(reasons.Select(r => Environment.NewLine + "- " + r));

    public static string SplitSuffixIsTaken(string tenant, string suffix, string other)
        => $"The suffix '{suffix}' of tenant '{tenant}' is that of tenant '{other}', and a split makes new partitions. Give another suffix in "
            + "SplitAsync(id → suffix).";

    public static string TenantSharesNothing(string tenant, string registered, string suffix)
        => $"The tenant '{tenant}' has partitions of its own already, with the suffix '{registered}', and cannot get '{suffix}'. Leave it out of "
            + "SplitAsync(…).";

    public static string SuffixOfSeveralPartitions(string suffix, string first, string second, string table)
        => $"The tenants '{first}' and '{second}' shall both get the suffix '{suffix}', but share no partition of {table} now. Give them "
            + "different suffixes in SplitAsync(id → suffix).";

    public static string SplitNeedsKey(string partition)
        => $"The partition {partition} cannot be split: it has no primary key, nor another unique key of columns that are never null, by which "
            + "rows that change meanwhile could be found. Nothing was changed. Give its table one in a migration.";

    public static string SplitHasDependent(string partition, string dependents)
        => $"The partition {partition} cannot be split: it has {dependents} of its own, which would go with it. Nothing was changed. Put these on "
            + "its table, or drop them and make them again afterwards.";

    public static string SplitWasOvertaken(string partition)
        => $"The partition {partition} was changed by somebody else while it was split (its bound, its table, or all of its rows). Nothing was "
            + "changed. Call SplitAsync(…) again.";

    public static string DroppedSplit(string partition)
        => $"The split of the partition {partition} was cut off. What it left was dropped, and all rows are where they were. Call SplitAsync(…) again.";

    public static string TooManyTenantPartitions(string table, int partitions, int limit)
        => $"The table {table} would have {partitions} list partitions; PostgreSQL plans and locks badly with more than {limit}. Nothing was "
            + "changed. Let small tenants share partitions with AddAsync(id → suffix), or partition by hash, IsPartitionedByTenant(x => x.ByHash(…)).";

    public static string TooManyLocks(string table, long locks, long budget, long setting)
        => $"One partition of {table} takes about {locks} locks in one transaction, and half of the server's lock table is {budget}. Nothing was "
            + $"changed. Raise max_locks_per_transaction, which is {setting} now, and restart the server; or let tenants share partitions.";

    public static string ManagedTableIsNotPartitioned(string table)
        => $"The model says that the partitions of {table} are managed, but the database has no table there that is partitioned by a list of "
            + "tenants. Apply the migrations of the model.";

    public static string NotDropped(string table)
        => $"The detached table {table} holds rows of another tenant and is not dropped. Look at it, and attach or drop it by hand.";

    public static string RepairedTenant(string tenant, bool wasRemoving)
        => wasRemoving ? $"The tenant '{tenant}' was half removed and is gone now." : $"The tenant '{tenant}' was half added and is complete now.";

    public static string RepairedPartition(string partition, string tenants)
        => $"The partition {partition} for {tenants} was missing and is there now.";

    public static string ReattachedPartition(string partition)
        => $"The partition {partition} was detached, or on its way to it, though its tenants are registered. It is attached again with its rows.";

    public static string WidenedPartition(string partition, string tenants)
        => $"The partition {partition} lacked {tenants} and holds their rows now.";

    public static string UnregisteredPartition(string partition, string tenants)
        => $"The partition {partition} holds {tenants}, whom the registry does not know. It was left as it is. Register them with "
            + "AddAsync(id → suffix), or detach and drop the partition by hand.";

    public static string UnregisteredDetach(string partition)
        => $"The detach of {partition} was cut off and is finished now. Nobody registered its tenants, so the table was left. Attach or drop it by hand.";

    public static string DefaultPartition(string partition)
        => $"The partition {partition} takes the rows of all tenants that have no other, and forbids detaching others without locking readers "
            + "out. It was left as it is.";

    public static string RegisteredSuffixIsNotPlain(string tenant, string suffix)
        => $"The registry gives tenant '{tenant}' the suffix '{suffix}', which cannot be used: letters, digits and underscores, at least one. It was "
            + "left as it is. Correct partition_name by hand.";

    private static string Quoted(IEnumerable<string> names)
        => string.Join(", ", names.Select(n => $"'{n}'"));

    public static string UnknownRegisteredTenant(string? tenant, string? table)
        => $"The table '{table}' has no partition for tenant '{tenant}'. Nothing was written. Register the tenant with AddAsync([\"{tenant}\"]) of "
            + "db.Tenancy().Administration or ITenantAdministration<TContext>; if it is registered, call RepairAsync().";

    public static string UnknownTenantOfConversion(string? tenant, string? table)
        => $"The table '{table}' is being partitioned and takes rows only of the tenants that it had when that began, not yet of tenant '{tenant}'. Nothing was "
            + "written. Wait until the migration has ended (one that was cut off: dotnet ef database update), and give the tenant its place: "
            + $"AddAsync([\"{tenant}\"]) of db.Tenancy().Administration or ITenantAdministration<TContext>, or a partition of the model.";

    public static string UnknownTenant(string? tenant, string? table)
        => $"The table '{table}' has no partition for tenant '{tenant}'. Nothing was written. Add one to the model, "
            + $"IsPartitionedByTenant(x => x.ByList().AddTenants(\"{tenant}\")), and run 'dotnet ef migrations add'; or call "
            + "migrationBuilder.CreateTenantPartition(...) in a migration of your own.";

    public static string RawQueryOfMultiTenantedEntity(string entity)
        => $"SqlQuery<{entity}>(...) reads the multi-tenanted entity '{entity}' without its tenant filter. Call db.Set<{entity}>().FromSql(...), "
            + "which keeps the filter, or read into a type that is no entity, with the tenant in the SQL.";

    public static string FromSqlIsNoSubquery(string entity, string table)
        => $"FromSql reads the multi-tenanted entity '{entity}' (table '{table}') by SQL that is no SELECT, so that the tenant filter cannot stand "
            + "around it. Name the tenant in the SQL, from db.Tenancy().TenantId, and add "
            + $"IgnoreQueryFilters([\"{TenancyDefaults.QueryFilterName}\"]); or write by ExecuteUpdate and ExecuteDelete, which keep the filter.";

    public static string ExecuteUpdateSetsTenant(string entity, string property)
        => $"ExecuteUpdate must not set '{entity}.{property}': it would give the rows to another tenant. Leave it out of the setters; to "
            + "move rows, insert them through a context of the other tenant, factory.CreateDbContext(\"tenant\"), and delete them here.";

    public static string ExecuteUpdateOfProjection(string entity)
        => $"ExecuteUpdate sets a column of a projection, beside '{entity}' with shared rows: whose rows it would write cannot be told. Set the property of the "
            + $"entity itself, db.Set<{entity}>().Where(…).ExecuteUpdate(s => s.SetProperty(e => e.…, …)).";

    // Templates of log messages: the context, and what the event is about.
    public const string LogTenantSet
        = "The context '{context}' works for tenant '{tenant}'.";

    public const string LogDefaultTenantUsed
        = "Nothing named a tenant, so the context '{context}' works for the default tenant '{tenant}'. To forbid this, call DisableDefaultTenant() in UseTenancy(...).";

    public const string LogAcrossTenantsEntered
        = "The context '{context}' reads and writes the rows of all tenants: {reason}";

    public const string LogTenantsElsewhereNotRead
        = "A query of the context '{context}' for all tenants ended at {destination}, and there are tenants elsewhere, whose rows it left out. Run it in a context for each place, TenantDatabases.ListAsync(), or name the tenants with TenantIsOneOf(...).";

    public const string LogCrossTenantQuery
        = "The context '{context}' compiled a query across tenants with {predicate}(...).";

    public const string LogRefused
        = "The context '{context}' refused a write. {message}";

    public const string LogManyTenantPartitions
        = "The context '{context}' has a table with very many list partitions: {partitions}. PostgreSQL plans and locks badly with more than 1,000; let small tenants share partitions, AddAsync(id → suffix), or partition by hash.";

    public const string LogIndexNotCreatedConcurrently
        = "A migration of the context '{context}' creates the index {index}, whose rows cannot be written meanwhile: PostgreSQL does not create the index of a partitioned table concurrently. If it has many rows, create it by SQL in the migration: CREATE INDEX … ON ONLY the table, CREATE INDEX CONCURRENTLY on each partition, ALTER INDEX … ATTACH PARTITION.";

    public const string LogNothingIsMultiTenanted
        = "The context '{context}' has UseTenancy(...), and none of its entities, such as '{entity}', is multi-tenanted: every tenant reads and writes all rows. Call UseTenancy(x => x.AllEntitiesAreMultiTenanted()), or IsMultiTenanted() for those with rows of tenants; where all rows are everyone's, call IsSingleTenanted().";

    public const string LogBulkInserted
        = "The context '{context}' bulk inserted {rows}.";

    public static string FilterCalledOutsideQuery(string method)
        => $"{method}(...) is for the predicate of an EF Core query on a multi-tenanted entity, as in "
            + $"db.Orders.Where(o => o.{method}(...)). It cannot run in memory.";

    public static string FilterTargetNotFound(string method)
        => $"{method}(...) must stand on the element of a DbSet, as in db.Orders.Where(o => o.{method}(...)), before it is projected "
            + "or grouped. Here its entity cannot be followed to one; move the call next to the set.";

    public static string FilterTenantsNotFixed(string method)
        => $"The tenants given to {method}(...) must be known before the query runs: constants or variables, not columns of the query.";

    public static string FilterCrossesGlobalEntity(string method, string navigation)
        => $"A query with {method}(...) cannot use the navigation '{navigation}', which leads from a single-tenanted to a "
            + "multi-tenanted entity: its rows would be those of every tenant. Join the multi-tenanted set instead, as in "
            + "db.Set<…>().Where(…), which gets its tenant predicate.";

    public static string FilterLeavesSharedRows(string method, string navigation)
        => $"A query with {method}(...) cannot use the navigation '{navigation}' where another set has shared rows: it leads from them to rows of "
            + "the default tenant that are not shared. Join the set instead, as in db.Set<…>().Where(…), which gets its tenant predicate, or "
            + $"call {method}(...) for both sets.";

    public static string FilterCrossesReferenceWithoutTenant(string method, string navigation)
        => $"A query with {method}(...) cannot use the navigation '{navigation}': with TenantKeyStyle.IdOnly its foreign key does not hold the "
            + "tenant, so it could lead to another tenant's rows. Join the set instead, as in db.Set<…>().Where(…), which gets its tenant "
            + "predicate, or use another key style.";

    public static string FilterInUserFilter(string method, string entity)
        => $"A query cannot use {method}(...) in a model where the query filter of '{entity}' itself reads multi-tenanted sets: those "
            + "would be read for every tenant. Write the predicate in the query and call IgnoreQueryFilters([…]) for that filter.";

    public static string UserFilterIgnoresTenancy(string entity)
        => $"A query filter calls IgnoreQueryFilters(...) on '{entity}', which EF applies to the whole query that the filter is for: what else "
            + "that reads would be read for every tenant. Name the filters that it shall go without, IgnoreQueryFilters([\"…\"]), and leave "
            + $"'{TenancyDefaults.QueryFilterName}' out.";

    public static string FindValueCount(string entity, int expected, int given)
        => $"The key of '{entity}' has {expected} values besides the tenant, but {given} were given. Call Find(...) with the values of "
            + "the entity's own key, without the tenant.";

    public static string EntityOfOtherTenant(string entity, string? table, string rowTenant, string namedTenant)
        => $"An object of entity '{entity}' (table '{table ?? entity}') belongs to tenant '{rowTenant}', not to '{namedTenant}': it is tracked as "
            + "that tenant's, or names it in its tenant property. "
            + $"Give it to db, to db.Tenancy().ForTenant(\"{rowTenant}\"), or make a new object for ForTenant(\"{namedTenant}\").";

    public static string RowOfTwoTenants(
        string entity,
        string? table,
        string navigation,
        string other,
        string? otherTenant,
        string another,
        string? anotherTenant)
        => $"'{entity}.{navigation}' (table '{table ?? entity}') holds a row of '{other}' of tenant '{otherTenant}' beside one of '{another}' of tenant "
            + $"'{anotherTenant}', but a row and all that it references is of one tenant. Take one out, and put one in its place from "
            + $"db.Tenancy().ForTenant(\"{anotherTenant}\") or db.Tenancy().ForTenant(\"{otherTenant}\"), whichever the row is of.";

    public static string NavigationOfOtherTenant(
        string entity,
        string? table,
        string navigation,
        string? rowTenant,
        IEnumerable<string> contextTenants)
        => $"A row of entity '{entity}' (table '{table ?? entity}') belongs to tenant '{rowTenant}', so its '{navigation}' cannot be loaded by a "
            + $"context of '{string.Join("', '", contextTenants)}', which reads no rows of '{rowTenant}'. Open that tenant in this unit of work with "
            + $"db.Tenancy().ForTenant(\"{rowTenant}\"), load it inside db.Tenancy().AcrossTenants(reason), or Include it in the query.";

    public static string ReasonIsBlank
        => "AcrossTenants(...) wants a reason, which is logged: AcrossTenants(\"monthly invoice run\").";

    public static string CompiledAcrossTenants
        => "This query was compiled inside AcrossTenants(...), where it reads the rows of all tenants, and runs outside of it. Compile it "
            + "outside with EF.CompileQuery(...), or run it inside db.Tenancy().AcrossTenants(...).";

    public static string EntityNotInModel(string entity, string context)
        => $"The entity '{entity}' is not in the model of '{context}'. Map it there with modelBuilder.Entity<{entity}>().";

    public static string BulkInsertNotSupported(string entity, string reason)
        => $"The entity '{entity}' cannot be bulk inserted: {reason}. Use AddRange(...) and SaveChanges() for it.";

    public static string BulkInsertTypeNotInModel(string type, string entity)
        => $"An object of type '{type}' was given to a bulk insert of '{entity}', and the model has no such type below it. Map it with "
            + $"modelBuilder.Entity<{type}>(), or insert objects of '{entity}' itself.";

    public static string BulkInsertPrincipalUnsaved(string entity, string navigation, string principal)
        => $"The navigation '{entity}.{navigation}' of a bulk inserted entity leads to a '{principal}' without a key, and navigations are not "
            + "followed. Insert the principals first, BulkInsertAsync(..., returnGeneratedValues: true), or use AddRange(...) and SaveChanges().";

    public static string BulkInsertPrincipalUnknown(string entity, string property)
        => $"A bulk inserted '{entity}' has no value for its required foreign key '{property}', which is a shadow property: only a navigation "
            + $"of '{entity}' could tell it. Set the navigation, map the foreign key to a property, or use AddRange(...) and SaveChanges().";

    public static string BulkInsertReadOnly(string entity, string property)
        => $"The property '{entity}.{property}' is read-only before it is saved, and a bulk inserted entity sets it. Leave it unset, or "
            + "configure it with Metadata.SetBeforeSaveBehavior(PropertySaveBehavior.Save).";

    public static string DestinationNameCannotBeUsed(string name)
        => $"'{name}' cannot be the name of a database or schema: it has at least one character and at most 63 bytes. Give it another name.";

    public static string TenantNotMapped(string tenant)
        => $"No database is listed for tenant '{tenant}'. Add it with AddSingleTenantDatabase(connectionString, \"{tenant}\") or "
            + "AddMultipleTenantDatabase(...).";

    public static string TenantMappedTwice(string tenant)
        => $"Tenant '{tenant}' is listed for two databases. Leave one AddSingleTenantDatabase(...) or AddMultipleTenantDatabase(...) out.";

    public static string TenantHasNoDestination(string tenant)
        => $"Tenant '{tenant}' is not registered. Add it with TenantDatabases.AddAsync(\"{tenant}\") or `tenants add {tenant}`.";

    public static string TenantIsBeingAdded(string tenant, TenantDestination destination)
        => $"Tenant '{tenant}' is being added in {destination}, and is let in when that is done. If the call that adds it was cut off, "
            + $"ITenantAdministration.AddAsync([\"{tenant}\"]), its RepairAsync() or `tenants add {tenant}` finishes it.";

    public static string DestinationNotGiven(string tenant)
        => $"Nothing chooses a place for tenant '{tenant}'. Name it, TenantDatabases.AddAsync(\"{tenant}\", TenantDestination.InDatabase(...)).";

    public static string NoDestinationRegistry
        => "The tenants are listed in code, so they cannot be changed at run time. Use MultiTenantedDatabasesWithMasterDatabaseTable(...), "
            + "MultiTenantedWithSingleServer(...), MultiTenantedSchemas(...) or MultiTenantedWithShardedDatabases(...).";

    public static string NoTenantDatabases
        => "Nothing says where tenants are. Call one of the MultiTenanted... methods of the builder, such as MultiTenantedDatabases(...).";

    public static string TenantDatabasesChosenTwice
        => "Two MultiTenanted... methods were called on one builder. Call one; a master database table may mix databases, schemas and shared tables.";

    public static string RegistryIsOlder(string schema, string reason)
        => $"The registry of tenants in the schema '{schema}' of the home database was made by an earlier version, and could not be brought up to this one: "
            + $"{reason}. Run `tenants list`, or call TenantDatabases.ListAsync(), once as the owner of its tables.";

    public static string NoSuchDatabase(string database)
        => $"No database '{database}' is registered. Add it with TenantDatabases.AddDatabaseAsync(\"{database}\", ...).";

    public static string DatabaseHasNoConnectionString(string database)
        => $"The registry has no connection string for database '{database}', and the home database is a data source, which gives none away. "
            + $"Name it with NameDatabase(\"{database}\", ...) or TenantDatabases.AddDatabaseAsync(\"{database}\", connectionString).";

    public static string AllShardsAreFull(string tenant, int databases)
        => $"No database is open for tenant '{tenant}': {databases} are registered, and all are full. Add one with "
            + "TenantDatabases.AddDatabaseAsync(...), or open one with SetFullAsync(name, isFull: false).";

    public static string NoSuchShard(string tenant, string chosen, IEnumerable<string> open)
        => $"'{chosen}' was chosen for tenant '{tenant}', and is none of the open databases: {string.Join(", ", open)}. Mend the strategy "
            + "given to AssignBy(...).";

    public static string SessionsAreShared(string database)
        => $"Database '{database}' holds schemas of tenants, and its connection string has Multiplexing or No Reset On Close, with which one "
            + "tenant's schema could reach another's session. Remove these settings.";

    public static string TenantIdStylesDiffer(TenantIdStyle context, TenantIdStyle databases)
        => $"The context's tenant ids are {context}, those of its TenantDatabases {databases}. Call UseTenantIdStyle(...) with one style on both.";

    public static string ConnectionIsTheTenants(string tenant)
        => $"The connection follows tenant '{tenant}', so another one cannot be set, except that of a context of the same database and schema. "
            + "Open a context for the tenant, factory.CreateDbContext(\"tenant\"), or leave UseTenantDatabases(...) out of the options.";

    public static string ConnectionServiceIsReplaced(string context)
        => $"The context '{context}' has tenants with databases or schemas of their own, and a connection service (INpgsqlRelationalConnection) "
            + "of the application's, which would lead all of them to one database. Leave the service, or UseTenantDatabases(...), out.";

    public static string TenantChangedWhileConnected(string tenant, TenantDestination destination)
        => $"The connection of the context is open to {destination}, so it cannot work for tenant '{tenant}', which is elsewhere. "
            + "Create another context with factory.CreateDbContext(...), or close the connection before Use(...).";

    public static string TenantIsElsewhere(string tenant, TenantDestination destination, string current, TenantDestination currentDestination)
        => $"Tenant '{tenant}' is in {destination}, and the context works for tenant '{current}' in {currentDestination}: one connection "
            + $"cannot reach both. Open a context of its own, factory.CreateDbContext(\"{tenant}\").";

    public static string SharedWithoutTenantColumn(string context, string tenant, TenantDestination destination)
        => $"Several tenants may be in {destination}, and no entity of '{context}' has a tenant, so tenant '{tenant}' would see the rows of all. "
            + "Call AllEntitiesAreMultiTenanted() or IsMultiTenanted(), or give each tenant a database or schema of its own.";

    public static string DefaultSchemaWithSchemas(string context, string schema, TenantDestination destination)
        => $"The tables of '{context}' are in the schema '{schema}' by HasDefaultSchema(...), and those of the tenant in {destination}: all tenants would "
            + "share the former. Remove HasDefaultSchema(...); tables that are to be shared get their schema by ToTable(name, schema).";

    public static string SchemaMissing(string? tenant, TenantDestination destination)
        => $"There is no {destination}{(tenant is null ? "" : $" for tenant '{tenant}'")}. Create it with TenantDatabases.AddAsync(...) and migrate it with MigrateTenantsAsync(...) or "
            + "`tenants migrate`.";

    public static string MigrationsAhead(string context, string? tenant, TenantDestination destination, string migration)
        => (tenant is null ? $"The migration '{migration}' in {destination}" : $"The migration '{migration}' of tenant '{tenant}' in {destination}")
            + $" is unknown to '{context}': a newer version of the application was there. Deploy that version, or revert the migration with it.";

    public static string RowsOfNewerModel(string tenant, string table, string context, string migration)
        => $"Tenant '{tenant}' has rows in {table}, which '{context}' does not know as a table of tenants and would leave behind, for a later tenant of that "
            + $"id to see: a newer version of the application was there with the migration '{migration}'. No row was deleted. Call RemoveAsync([\"{tenant}\"]) in that "
            + "version, or delete these rows first.";

    public static string MigrationsBehind(string context, string? tenant, TenantDestination destination, string migration)
        => (tenant is null ? $"The migration '{migration}' is missing in {destination}" : $"The migration '{migration}' of '{context}' is missing for tenant '{tenant}' in {destination}")
            + ". Run MigrateTenantsAsync(...) or `tenants migrate`.";

    public static string TenantMigrationFailed(IReadOnlyList<TenantMigrationResult> results)
        => $"{results.Count(r => r.Outcome == TenantMigrationOutcome.Failed)} databases or schemas could not be migrated, "
            + $"{results.Count(r => r.Outcome == TenantMigrationOutcome.Behind)} were not begun:"
            + string.Concat(
                results.Where(r => r.Error is not null)
                    .Select(r => $"\n- {r.Destination}{(r.TenantIds.Count == 0 ? "" : $" ({string.Join(", ", r.TenantIds.Take(5))})")}: {r.Error!.Message}"))
            + "\nCall it again when the reasons are mended; what is done stays.";

    public static string DatabaseIsNotDropped(string tenant, TenantDestination destination)
        => $"Tenant '{tenant}' has {destination}, which was not made here and is not dropped. Delete its rows with "
            + $"ITenantAdministration.DeleteDataAsync(...), and forget it with TenantDatabases.RemoveAsync(\"{tenant}\").";

    public static string TenantFinished(string tenant, TenantDestination destination)
        => $"Tenant '{tenant}' was left half added in {destination}; it is finished.";

    public static string PlaceIsLost(string tenant, TenantDestination destination, bool isMadeByAdding)
        => $"Tenant '{tenant}' is registered in {destination}, which is gone, and with it the rows that it had. Nothing was made in its place: restore it from a backup. "
            + (isMadeByAdding
                ? $"Should the rows not come back, RemoveAsync([\"{tenant}\"]) and then AddAsync([\"{tenant}\"]) begin with an empty one."
                : "Should there have been none, or should they not come back, MigrateTenantsAsync(...) with TenantMigrationOptions.Verify makes it, empty.");

    public static string AdministrationOfPlaces(string context)
        => $"The tenants of '{context}' have databases or schemas of their own, which one context does not reach. Take "
            + $"ITenantAdministration<{context}> from the services, after AddTenantAdministration<{context}>().";

    public static string DatabaseIsShared(string tenant, TenantDestination destination)
        => $"Tenant '{tenant}' shares {destination} with others, so that it is not deleted for one. Delete the tenant's rows with "
            + "ITenantAdministration.DeleteDataAsync(...).";

    public static string TenantDatabaseFailed(
        TenantDatabaseError error,
        string? tenant,
        TenantDestination destination,
        int ceiling,
        string reason)
        => (tenant is null ? $"Work in {destination} is not possible: " : $"Tenant '{tenant}' cannot be reached in {destination}: ")
            + error switch
            {
                TenantDatabaseError.AccessDenied => "it refuses the user. Mend the connection string, or grant CONNECT.",
                TenantDatabaseError.DatabaseMissing =>
                    "there is no such database. Create it with TenantDatabases.AddAsync(...) or MigrateTenantsAsync(...).",
                TenantDatabaseError.TooManyConnections =>
                    $"no connection became free. Raise MaxConnections({ceiling}), the server's max_connections, or close contexts earlier.",
                _ => "its server does not answer. Mend the connection string, or the server.",
            }
            + $" ({reason})";

    public static string RegistryFailed(TenantDatabaseError error, string? tenant, int ceiling, string reason)
        => "The registry of tenants in the home database cannot be read"
            + (tenant is null ? ": " : $", which says where tenant '{tenant}' is: ")
            + error switch
            {
                TenantDatabaseError.AccessDenied =>
                    "it refuses the user. Mend the connection string, or grant CONNECT on the database and USAGE on the registry's schema.",
                TenantDatabaseError.DatabaseMissing => "there is no such database. Create it, or mend the connection string.",
                TenantDatabaseError.TooManyConnections =>
                    $"no connection became free. Raise MaxConnections({ceiling}), the server's max_connections, or close contexts earlier.",
                _ => "its server does not answer. Mend the connection string, or the server.",
            }
            + $" ({reason})";

    public static string RegistryNotCreated(string schema, string reason)
        => $"The registry of tenants, schema '{schema}' of the home database, is not complete, and the user may not create what it lacks. Nothing was "
            + "changed. Grant CREATE on the database, and on the schema if it is there, or let a user who has these rights call "
            + $"TenantDatabases.AddAsync(...) once, and grant USAGE on the schema and SELECT, INSERT, UPDATE and DELETE on its tables. ({reason})";

    public static string TenantIsBeingMoved(string tenant, TenantDestination destination)
        => $"Tenant '{tenant}' is being moved, so that its rows in {destination} are read only for a while. Try again when MoveAsync(...) has ended; "
            + "a context that is open to its former place must be opened anew.";

    public static string SessionsCannotBeReadOnly(string tenant, TenantDestination destination)
        => $"Tenant '{tenant}' is being moved, and the connections to {destination} have Multiplexing or No Reset On Close, with which a session "
            + "that is made read only would stay so for others. Remove these settings.";

    public static string TenantIsMovedElsewhere(string tenant, TimeSpan patience)
        => $"Another process moves tenant '{tenant}', and did not end within {patience}. Call MoveAsync(...) again when it has.";

    public static string TenantHasAnotherPlace(string tenant, TenantDestination current, TenantDestination destination)
        => $"Tenant '{tenant}' is registered in {current}, and so its rows are there, not in {destination}. Nothing was changed. Move it with "
            + $"ITenantMover.MoveAsync(\"{tenant}\", ...), or call TenantDatabases.AddAsync(\"{tenant}\") without a destination.";

    public static string TenantHasRowsAtHome(string tenant, TenantDestination destination, IEnumerable<string> tables)
        => $"Tenant '{tenant}' shares the home database, and has rows there in {string.Join(", ", tables)}: nobody would find them if it were added in "
            + $"{destination}. Nothing was changed. Move it with ITenantMover.MoveAsync(\"{tenant}\", ...).";

    public static string TenantStateChanged(string tenant)
        => $"The registry of tenant '{tenant}' was changed while it was to be moved. Nothing of it was moved. Look at it with TenantDatabases.ListAsync(), "
            + "and call MoveAsync(...) again.";

    public static string TenantIsBeingAdded(string tenant)
        => $"Tenant '{tenant}' was half added. Finish that with TenantDatabases.AddAsync(\"{tenant}\") before it is moved.";

    public static string TenantIsOnItsWay(string tenant, TenantDestination from, TenantDestination to)
        => $"A move of tenant '{tenant}', now in {from}, has begun and not ended; the other place is {to}. Finish it with MoveAsync(...) first; before "
            + "the rows are there, MoveAsync(...) to where the tenant is gives it up.";

    public static string HomeHoldsNoTenants(string tenant)
        => $"Tenant '{tenant}' cannot be moved to the home database: no tenants share its tables. Call OthersShareTheHomeDatabase(), or choose "
            + "TenantDestination.InSchema(...) or InDatabase(...).";

    public static string TransferTablesMissing(string tenant, TenantDestination destination, IEnumerable<string> tables)
        => $"The rows of tenant '{tenant}' cannot be copied: in {destination} these tables of the model are missing: {string.Join(", ", tables)}. "
            + "Apply the migrations there.";

    public static string TransferTablesDiffer(string tenant, string table, IEnumerable<string> here, IEnumerable<string> there)
        => $"The rows of tenant '{tenant}' cannot be copied: the table {table} has the columns ({string.Join(", ", here)}) where they come from and "
            + $"({string.Join(", ", there)}) where they go to. Apply the same migrations to both.";

    public static string DestinationHasRows(string tenant, TenantDestination destination, IEnumerable<string> tables)
        => $"In {destination} there are rows of tenant '{tenant}' already, in {string.Join(", ", tables)}. Nothing was changed. Look at them, and delete "
            + "them with ITenantAdministration.DeleteDataAsync(...) if they are not wanted.";

    public static string TransferReferenceMissing(string tenant, TenantDestination destination, string? table, string? key, string? detail)
        => $"The rows of tenant '{tenant}' in {table} reference rows that {destination} lacks, by the key {key}. ({detail}) Global tables are not a "
            + "tenant's and are not copied: bring these rows there first. Nothing was changed.";

    public static string TransferKeyTaken(string tenant, TenantDestination destination, string? table, string? key, string? detail)
        => $"A row of tenant '{tenant}' in {table} has a key that another row in {destination} has already, by {key}. ({detail}) Keys that do not hold the "
            + "tenant must be unique over all tenants that share a table. Nothing was changed.";

    public static string OlderTransactions(string tenant, TenantDestination destination, TimeSpan patience, IEnumerable<string> transactions)
        => $"In {destination} transactions that are older than this step of moving tenant '{tenant}' did not end within {patience} (number and process "
            + $"id: {string.Join(", ", transactions)}). End them, or raise TenantAdministrationOptions.RetryTimeout, and call MoveAsync(...) again.";

    public static string CopyDiffers(string tenant, string table, long source, long copied)
        => $"Rows of tenant '{tenant}' in {table} were changed while they were copied: {source} rows are there now, {copied} were copied, and their "
            + "checksums differ. Nothing was moved. Find who writes past the application, and call MoveAsync(...) again.";

    public static string RowsCameLate(string tenant, string table, TenantDestination destination, long rows, long copied)
        => $"Tenant '{tenant}' has left {destination}, and {table} there has {rows} rows that are not the {copied} that were copied: somebody wrote past "
            + "the application. They were left. Look at them, bring what is missing to the tenant, delete it there, and call MoveAsync(...) again.";

    public static string MoveNotGivenUp(string tenant, TenantDestination destination, string reason)
        => $"Tenant '{tenant}' is still on its way to {destination} and read only, since the move could not be given up: {reason}. Call MoveAsync(...) "
            + "again.";

    public static string ManifestUnreadable(string file, string reason)
        => $"'{file}' is no manifest of ExportAsync(...): {reason}. Nothing was written.";

    public static string ManifestOfOther(string file, string tenant, string other)
        => $"'{file}' has the rows of tenant '{other}', not of '{tenant}'. Nothing was written.";

    public static string ManifestOfOtherModel(string file, string reason)
        => $"'{file}' does not fit the tables of the model: {reason} Nothing was written. Import it with the version of the application that wrote it, "
            + "and migrate afterwards.";

    public static string ManifestMigrationDiffers(string? written, string? applied)
        => $"it was written with the migration '{written ?? "none"}', and '{applied ?? "none"}' is applied.";

    public static string ExportedFileChanged(string file)
        => $"'{file}' is not as ExportAsync(...) wrote it. Nothing was written. Export again, or import an unchanged copy.";

    public static string ImportDiffers(string tenant, string table, long written, long read)
        => $"The rows of tenant '{tenant}' in {table} are not those that were exported: {read} of {written} rows, or other values, as a trigger of the "
            + "table may make them. Nothing was changed.";

    public static string DirectoryNotEmpty(string directory)
        => $"The directory '{directory}' is not empty. Export into one that is, or that is not there yet.";

    public static string BulkInsertMixedKeys(string entity, string property)
        => $"The first bulk inserted '{entity}' leaves '{property}' to the database and a later one sets it. Set it on all or on none; "
            + "nothing was written.";
}
