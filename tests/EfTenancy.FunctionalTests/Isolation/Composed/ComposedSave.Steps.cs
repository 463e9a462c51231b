using System.Collections;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <content>The steps of a unit of work.</content>
public sealed partial class ComposedSave
{
    private Task Step()
        => random.Next(32) switch
        {
            4 or 14 or 24 when databases.ArePooled => LeaseAsync(),
            < 4 => FindAsync(),
            < 6 => ReadAsync(),
            < 8 => LoadAsync(),
            < 10 => Run(Change),
            < 13 => Run(Refer),
            < 15 => Run(ReferByKey),
            < 18 => Run(Collect),
            < 20 => Run(Remove),
            < 22 => AddAsync(),
            < 26 => ReconnectAsync(),
            < 28 => Run(ChangeParts),
            28 => Run(SetState),
            29 => RefreshAsync(),
            30 => SaveAsync(),
            _ => SwitchAsync(),
        };

    private IEntityType TypeOf(EntityEntry entry)
        => model.FindEntityType(entry.Metadata.Name)!;

    private static Task Run(Action step)
    {
        step();
        return Task.CompletedTask;
    }

    private IEntityType AnyType()
        => _types[random.Next(_types.Count)];

    /// <summary>An entity that is tracked, in an order that is the same on both sides.</summary>
    private EntityEntry? Tracked(Func<IEntityType, bool>? predicate = null)
    {
        var entries = TrackerText.Entries(_db).Select(e => e.Entry).Where(e => !e.Metadata.IsOwned() && predicate?.Invoke(TypeOf(e)) != false).ToList();
        return entries.Count == 0 ? null : entries[random.Next(entries.Count)];
    }

    private Task FindAsync()
        => OfType(AnyType(), FindAsync<object>);

    private async Task FindAsync<T>(IEntityType type)
        where T : class
    {
        var own = side.IsOfNobody && _tenant == side.Own ? Enumerable.Range(0, BazaarSeed.Tenants).Where(side.Reads).ElementAt(random.Next(2)) : _tenant;
        var key = BazaarRows.KeyOf(type, _rows.Key(databases.HaveSharedRows && random.Next(3) == 0 ? BazaarSeed.Shared : own));
        Log($"find {type.ShortName()} {string.Join(',', key)}");
        if (type.ClrType == typeof(Note))
        {
            var number = random.Next(6);
            await side.Set<Note>(_db, type, _tenant).OrderBy(n => n.Origin).ThenBy(n => n.Subject).ThenBy(n => n.AuthorId).Skip(number).FirstOrDefaultAsync();
        }
        else
        {
            await side.FindAsync<T>(_db, type, key, _tenant);
        }
    }

    /// <summary>All rows of a type, with what some navigations lead to.</summary>
    private Task ReadAsync()
        => OfType(AnyType(), ReadAsync<object>);

    private async Task ReadAsync<T>(IEntityType type)
        where T : class
    {
        // Foreign keys that do not hold the tenant are not followed from another one's rows.
        var follows = !databases.RefusesReferencesFirst || _tenant == side.Own;
        var query = side.Set<T>(_db, type, _tenant);
        var path = "";
        for (var current = type; follows && path.Count(c => c == '.') < 3 && random.Next(3) > 0 && BazaarRows.Navigations(current) is { Count: > 0 } navigations;)
        {
            var navigation = navigations[random.Next(navigations.Count)];
            path += (path == "" ? "" : ".") + navigation.Name;
            current = navigation.TargetEntityType;
        }

        query = path == "" ? query : query.Include(path);
        query = random.Next(3) == 0 ? query.AsSplitQuery() : query;
        Log($"read {type.ShortName()} {path} of {_tenant}");
        await query.ToListAsync();
    }

    private Task OfType(IEntityType type, Func<IEntityType, Task> step)
    {
        // ForTenant has no entities without a class.
        _tenant = type.HasSharedClrType ? side.Own : _tenant;
        return (Task)step.Method.GetGenericMethodDefinition().MakeGenericMethod(type.ClrType).Invoke(this, [type])!;
    }

    /// <summary>Around what a context does with a row of another tenant for itself, which it does with its own only.</summary>
    private IDisposable? Reaching(EntityEntry entry)
        => !side.IsOfSeveralTenants || side.Reads(side.TenantOf(entry)) ? null : side.AcrossTenants(_db);

    private async Task LoadAsync()
    {
        if (Tracked(t => BazaarRows.Navigations(t).Count > 0) is not { } entry)
        {
            return;
        }

        var navigations = BazaarRows.Navigations(TypeOf(entry));
        var navigation = entry.Navigation(navigations[random.Next(navigations.Count)].Name);
        var kind = random.Next(4);
        using var scope = Reaching(entry);
        Log($"load {KeyOf(entry.Entity)} {navigation.Metadata.Name} {kind}");
        switch (kind)
        {
            case 0:
                navigation.Load();
                break;
            case 1:
                await navigation.LoadAsync(LoadOptions.ForceIdentityResolution);
                break;
            case 2:
                _log.Add($"{navigation.Query().Cast<object>().Count()}");
                break;
            default:
                await navigation.Query().Cast<object>().Take(20).LoadAsync();
                break;
        }
    }

    private void Change()
    {
        if (Tracked() is not { } entry)
        {
            return;
        }

        var properties = TypeOf(entry).GetProperties().Where(IsPlain).ToList();
        if (properties.Count == 0)
        {
            return;
        }

        var property = properties[random.Next(properties.Count)];
        var value = _rows.Scalar(property);
        Log($"change {KeyOf(entry.Entity)} {property.Name} = {value}");
        if (random.Next(3) == 0)
        {
            entry.Property(property.Name).CurrentValue = value;
        }
        else
        {
            BazaarRows.Set(entry.Entity, property, value);
        }
    }

    private static bool IsPlain(IProperty property)
        => !property.IsShadowProperty() && !property.IsKey() && !property.IsForeignKey()
            && property.Name != nameof(Item.Origin);

    private void Refer()
    {
        if (Tracked(t => BazaarRows.Navigations(t).Any(n => !n.IsCollection)) is not { } entry)
        {
            return;
        }

        var references = BazaarRows.Navigations(TypeOf(entry)).Where(n => !n.IsCollection).ToList();
        var reference = references[random.Next(references.Count)];
        var related = random.Next(4) == 0 ? null : Related(reference.TargetEntityType, side.TenantOf(entry));
        Log($"refer {KeyOf(entry.Entity)} {reference.Name} = {(related is null ? "-" : KeyOf(related))}");
        if (random.Next(3) == 0)
        {
            entry.Reference(reference.Name).CurrentValue = related;
        }
        else
        {
            reference.PropertyInfo!.SetValue(entry.Entity, related);
        }
    }

    /// <summary>One that is tracked, or a new one where a context knows whose that is.</summary>
    private object? Related(IEntityType type, int tenant)
        => random.Next(4) > 0 && Tracked(t => t.ClrType.IsAssignableTo(type.ClrType)) is { } tracked && side.TenantOf(tracked) == tenant
            ? tracked.Entity
            : random.Next(2) == 0 && !side.IsOfNobody ? NewGraph(_rows.Concrete(type), tenant, 1)
            : null;

    // Where keys are ids only, another tenant's row has the only one of its key.
    private object NewGraph(IEntityType type, int tenant, int depth)
    {
        _rows.MeetsOthers = false;
        return _rows.Graph(type, _rows.NewKey(tenant), tenant, depth);
    }

    private void ReferByKey()
    {
        if (Tracked(t => t.GetForeignKeys().Any(IsChangeable)) is not { } entry)
        {
            return;
        }

        var foreignKeys = TypeOf(entry).GetForeignKeys().Where(IsChangeable).ToList();
        var foreignKey = foreignKeys[random.Next(foreignKeys.Count)];
        Log($"refer by key {KeyOf(entry.Entity)}");
        _rows.Refer(entry.Entity, foreignKey, side.TenantOf(entry));
        _log[^1] += " = " + KeyOf(entry.Entity);
    }

    private static bool IsChangeable(IForeignKey foreignKey)
        => foreignKey.Properties.All(p => !p.IsShadowProperty() && !p.IsKey());

    private void Collect()
    {
        if (Tracked(t => BazaarRows.Navigations(t).Any(n => n.IsCollection)) is not { } entry)
        {
            return;
        }

        var collections = BazaarRows.Navigations(TypeOf(entry)).Where(n => n.IsCollection).ToList();
        var collection = collections[random.Next(collections.Count)];
        var list = (IList)collection.PropertyInfo!.GetValue(entry.Entity)!;
        Log($"collect {KeyOf(entry.Entity)} {collection.Name}");
        switch (random.Next(6))
        {
            case 0:
                list.Clear();
                _log[^1] += " cleared";
                break;
            case 1 or 2 when list.Count > 0:
                var last = list.Cast<object>().OrderBy(KeyOf, StringComparer.Ordinal).ElementAt(random.Next(list.Count));
                list.Remove(last);
                _log[^1] += " - " + KeyOf(last);
                break;
            default:
                if (Related(collection.TargetEntityType, side.TenantOf(entry)) is { } related && !list.Contains(related))
                {
                    _log[^1] += " + " + KeyOf(related);
                    list.Add(related);
                }

                break;
        }
    }

    private void Remove()
    {
        if (Tracked() is { } entry && !(side.IsOfNobody && entry.State == EntityState.Added))
        {
            Log($"remove {KeyOf(entry.Entity)}");
            Set(entry, EntityState.Deleted);
        }
    }

    private Task AddAsync()
        => OfType(AnyType(), Add<object>);

    private Task Add<T>(IEntityType type)
        where T : class
    {
        var row = (T)NewGraph(type, _tenant, 2);
        Log($"add {GraphText(type, row)}");
        side.Track(_db, TrackVerb.Add, row, _tenant);
        return Task.CompletedTask;
    }

    /// <summary>Objects that came from elsewhere, and stand for rows.</summary>
    private Task ReconnectAsync()
        => OfType(AnyType(), Reconnect<object>);

    private Task Reconnect<T>(IEntityType type)
        where T : class
    {
        var row = (T)_rows.Graph(type, _rows.Key(_tenant), _tenant, 2);
        TrackVerb?[] verbs = [TrackVerb.Update, TrackVerb.Update, TrackVerb.Attach, TrackVerb.Remove, _tenant == side.Own && !side.IsOfNobody && !type.HasSharedClrType ? null : TrackVerb.Update];
        var verb = verbs[random.Next(verbs.Length)];
        Log($"{verb?.ToString() ?? "track"} {GraphText(type, row)}");
        if (verb is { } known)
        {
            side.Track(_db, known, row, _tenant);
        }
        else
        {
            EntityState[] states = [EntityState.Modified, EntityState.Unchanged, EntityState.Deleted];
            _db.ChangeTracker.TrackGraph(
                row,
                n => n.Entry.State = n.Entry.Metadata.IsOwned() ? n.SourceEntry!.State
                    : n.Entry.IsKeySet ? states[random.Next(states.Length)] : EntityState.Added);
        }

        if (verb == TrackVerb.Attach && type.GetProperties().Where(IsPlain).ToList() is { Count: > 0 } properties)
        {
            var property = properties[random.Next(properties.Count)];
            BazaarRows.Set(row, property, _rows.Scalar(property));
        }

        return Task.CompletedTask;
    }

    /// <summary>Owned, JSON and complex values.</summary>
    private void ChangeParts()
    {
        if (side.IsOfNobody || Tracked(t => t.ClrType == typeof(Order) || t.ClrType == typeof(Product)) is not { } entry)
        {
            return;
        }

        var kind = random.Next(8);
        Log($"change parts of {KeyOf(entry.Entity)} {kind}");
        switch (entry.Entity)
        {
            case Product product when kind < 3:
                product.Prices.Clear();
                product.Prices.AddRange(_rows.Prices());
                break;
            case Product product when kind < 6 && product.Prices.Count > 0:
                product.Prices.OrderBy(p => p.Id).ElementAt(random.Next(product.Prices.Count)).Amount = random.Next(12);
                break;
            case Product product:
                product.Prices.Add(new Price { Id = random.Next(5), Amount = random.Next(12) });
                break;
            case Order order when kind < 2:
                order.Delivery = _rows.Delivery();
                break;
            case Order order when kind == 2:
                order.Total = _rows.Total();
                break;
            case Order order when kind == 3:
                order.Total.Amount = random.Next(12);
                break;
            case Order { Delivery: { } delivery }:
                ChangeDelivery(delivery, kind);
                break;
        }
    }

    private void ChangeDelivery(Delivery delivery, int kind)
    {
        if (kind == 4)
        {
            delivery.City = _rows.Word();
        }
        else if (kind == 5 || delivery.Parcels.Count == 0)
        {
            delivery.Parcels.Add(_rows.Parcel());
        }
        else if (kind == 6)
        {
            delivery.Parcels.RemoveAt(0);
        }
        else
        {
            delivery.Parcels[0].Stamps.Add(_rows.Stamp());
        }
    }

    private void SetState()
    {
        if (Tracked() is { } entry)
        {
            // What is tracked no more, EF comes to as to a new object.
            EntityState[] states = side.IsOfNobody
                ? [EntityState.Unchanged, EntityState.Modified]
                : [EntityState.Detached, EntityState.Unchanged, EntityState.Modified];
            var state = states[random.Next(states.Length)];
            Log($"state of {KeyOf(entry.Entity)} = {state}");
            Set(entry, state);
        }
    }

    private static void Set(EntityEntry entry, EntityState state)
        => entry.State = state;

    private async Task RefreshAsync()
    {
        if (Tracked() is not { State: not EntityState.Added } entry)
        {
            return;
        }

        var kind = random.Next(3);
        using var scope = Reaching(entry);
        Log($"refresh {KeyOf(entry.Entity)} {kind}");
        switch (kind)
        {
            case 0:
                await entry.ReloadAsync();
                break;
            case 1:
                var values = await entry.GetDatabaseValuesAsync();
                _log.Add(values is null ? "no row" : string.Join(',', TypeOf(entry).GetProperties().Where(IsPlain).Select(p => values[p.Name])));
                break;
            default:
                if (entry.Entity is not Note and not Dictionary<string, object>)
                {
                    entry.CurrentValues.SetValues(
                        TypeOf(entry).GetProperties().Where(IsPlain).ToDictionary(p => p.Name, p => _rows.Scalar(p)!));
                }

                break;
        }
    }

    private async Task SwitchAsync()
    {
        Log("switch contexts");
        (_db, _other) = (_other ?? await side.ContextAsync(), _db);
    }

    /// <summary>The pooled context is another tenant's next, whatever is left in it.</summary>
    private async Task LeaseAsync()
    {
        var next = (side.Own + random.Next(1, BazaarSeed.Tenants)) % BazaarSeed.Tenants;
        Log($"lease for {next}");
        await side.EndContextsAsync(side.IsOfSeveralTenants ? next : side.Own);
        if (!side.IsOfSeveralTenants && !isBetweenLeases)
        {
            await using var other = side.Of(next);
            var between = new ComposedSave(random, other, databases, model, isBetweenLeases: true);
            var log = await between.RunAsync();
            foreach (var (line, failure) in between.Failures)
            {
                Failures[_log.Count + line] = failure;
            }

            _log.AddRange(log);
        }

        (_db, _other) = (await side.ContextAsync(), null);
    }

    private string KeyOf(object entity)
        => TrackerText.KeyOf(model.FindEntityTypes(entity.GetType()).First(), entity);

    private static string GraphText(IEntityType type, object row, int depth = 2)
    {
        var values = string.Join(',', type.GetProperties().Where(p => !p.IsShadowProperty()).Select(p => BazaarRows.Get(row, p)));
        var related = depth == 0 ? [] : BazaarRows.Navigations(type).Select(n => (n.Name, Value: n.PropertyInfo!.GetValue(row)))
            .Where(n => n.Value is not null and not ICollection { Count: 0 })
            .Select(n => $"{n.Name}=[{string.Join("; ", (n.Value is IList many ? many.Cast<object>() : [n.Value!]).Select(e => GraphText(type.Model.FindEntityType(e.GetType())!, e, depth - 1)))}]");
        return $"{type.ShortName()}({values} {string.Join(' ', related)})";
    }
}
