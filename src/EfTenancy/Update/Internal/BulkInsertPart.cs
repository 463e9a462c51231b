using System.Linq.Expressions;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Update.Internal;

/// <summary>
///     An object that has columns in a row: the row's entity itself, or what shares the row with it (an owned entity, a complex value, an
///     entity of the same table). Says how its properties are read from a row, as EF would have them after <c>Add</c>.
/// </summary>
public sealed class BulkInsertPart
{
    private readonly Dictionary<IProperty, BulkInsertGeneratedProperty> _generated = [];
    private readonly List<ITableMapping> _tables = [];
    private readonly IPropertyBase? _member;
    private readonly IForeignKey? _link;

    /// <summary>The entity of a row; <paramref name="owner" /> is a part of the owner's row.</summary>
    public BulkInsertPart(IEntityType entityType, BulkInsertPart? owner, IForeignKey? ownership)
        => (Type, Owner, _link) = (entityType, owner, ownership);

    /// <summary>What shares the row of <paramref name="owner" />.</summary>
    public BulkInsertPart(BulkInsertPart owner, INavigation navigation)
        => (Type, Owner, _member, _link) = (navigation.TargetEntityType, owner, navigation, navigation.ForeignKey);

    /// <inheritdoc cref="BulkInsertPart(BulkInsertPart, INavigation)" />
    public BulkInsertPart(BulkInsertPart owner, IComplexProperty property)
        => (Type, Owner, _member) = (property.ComplexType, owner, property);

    public ITypeBase Type { get; }

    public BulkInsertPart? Owner { get; }

    public bool IsRoot
        => _member is null;

    /// <summary>Whether the property follows from the owner's key.</summary>
    public bool IsLinked(IProperty property)
        => _link?.Properties.Contains(property) == true;

    public bool IsIn(ITable table)
        => _tables.Any(m => m.Table == table);

    /// <summary>The first table that has the property: the one that generates it.</summary>
    public ITable? HomeOf(IProperty property)
        => _tables.FirstOrDefault(m => m.ColumnMappings.Any(c => c.Property == property))?.Table;

    /// <summary>Adds a table of the row, principals first.</summary>
    public void Add(ITableMapping table)
        => _tables.Add(table);

    public void Add(BulkInsertGeneratedProperty generated)
        => _generated.Add(generated.Property, generated);

    /// <summary>The object; null if the row has none.</summary>
    public Expression Instance(Expression row)
        => _member is null
            ? Expression.Convert(Expression.Property(row, nameof(BulkInsertRow.Entity)), Type.ClrType)
            : Owner!.Member(_member, row);

    /// <summary>Whether the row has the object; null if it always has.</summary>
    public Expression? IsPresent(Expression row)
        => IsRoot || !RowExpression.CanBeNull(Instance(row).Type) ? null : RowExpression.IsNotNull(Instance(row));

    /// <summary>A member of the object; null if the row does not have the object.</summary>
    public Expression Member(IPropertyBase member, Expression row)
    {
        var value = PresentMember(member, row);
        if (IsPresent(row) is not { } isPresent)
        {
            return value;
        }

        var type = RowExpression.CanBeNull(value.Type) ? value.Type : typeof(Nullable<>).MakeGenericType(value.Type);
        return Expression.Condition(isPresent, RowExpression.As(value, type), Expression.Default(type));
    }

    /// <summary>A member of the object, which must be there.</summary>
    public Expression PresentMember(IPropertyBase member, Expression row)
        => RowExpression.Read(Instance(row), member);

    /// <summary>The property's value, if the row has the object.</summary>
    public Expression Value(IProperty property, Expression row)
    {
        if (BulkInsertTenant.Is(property))
        {
            return BulkInsertTenant.ValueOf(property, row);
        }

        var value = Ungenerated(property, row);
        return _generated.TryGetValue(property, out var generated)
            ? Expression.Condition(
                RowExpression.IsNotNull(generated.Value(row)), Expression.Convert(generated.Value(row), property.ClrType), value)
            : value;
    }

    /// <summary>Whether the row has a value of the property, which is generated otherwise.</summary>
    public Expression HasValue(IProperty property, Expression row)
    {
        var hasValue = property.GetBeforeSaveBehavior() == PropertySaveBehavior.Throw
            ? Expression.AndAlso(
                IsSet(property, row),
                RowExpression.Throw(TenancyStrings.BulkInsertReadOnly(property.DeclaringType.DisplayName(), property.Name), typeof(bool)))
            : IsSet(property, row);
        return _generated.TryGetValue(property, out var generated)
            ? Expression.OrElse(RowExpression.IsNotNull(generated.Value(row)), hasValue)
            : hasValue;
    }

    /// <summary>Whether the application set the property, or a navigation that its value follows from.</summary>
    public Expression IsSet(IProperty property, Expression row)
    {
        var isSet = property.IsShadowProperty()
            ? Expression.Constant(false)
            : RowExpression.IsNotSentinel(PresentMember(property, row), property);
        foreach (var (navigation, _) in Navigations(property))
        {
            isSet = Expression.OrElse(RowExpression.IsNotNull(PresentMember(navigation, row)), isSet);
        }

        return IsPresent(row) is { } isPresent ? Expression.AndAlso(isPresent, isSet) : isSet;
    }

    /// <summary>The entities that the row references through navigations, for a look at the tenants that they name.</summary>
    public IEnumerable<INavigation> Principals()
        => Type is IEntityType entityType
            ? entityType.GetNavigations().Where(n => n.IsOnDependent && n.ForeignKey != _link && !n.IsShadowProperty())
            : [];

    /// <summary>Sets a value into the property, if the row has the object and the object keeps it; null if it cannot.</summary>
    public Action<BulkInsertRow>? Setter(IProperty property, Func<Expression, Expression> value)
    {
        if (property.IsShadowProperty() || property.IsIndexerProperty() || !CanBeSet)
        {
            return null;
        }

        var row = Expression.Parameter(typeof(BulkInsertRow), "row");
        var member = property.GetMemberInfo(forMaterialization: false, forSet: true);
        var target = Expression.MakeMemberAccess(RowExpression.As(Instance(row), member.DeclaringType!), member);
        Expression assign = Expression.Assign(target, RowExpression.As(RowExpression.As(value(row), property.ClrType), target.Type));
        return Expression.Lambda<Action<BulkInsertRow>>(
            IsPresent(row) is { } isPresent ? Expression.IfThen(isPresent, assign) : assign,
            row).Compile();
    }

    /// <summary>What sets the foreign keys that follow from the owner or from a navigation, as EF's fix-up would.</summary>
    public IEnumerable<Action<BulkInsertRow>> FixUps()
        => from property in Type.GetProperties()
           where !BulkInsertTenant.Is(property) && (IsLinked(property) || Navigations(property).Any())
           let setter = Setter(property, row => Value(property, row))
           where setter is not null
           select setter;

    // A value set into a copy of a struct is lost.
    private bool CanBeSet
        => !Type.ClrType.IsValueType && (IsRoot || Owner!.CanBeSet);

    private Expression Ungenerated(IProperty property, Expression row)
    {
        if (IsLinked(property))
        {
            var ownersRow = IsRoot ? Expression.Property(row, nameof(BulkInsertRow.Owner)) : row;
            return RowExpression.As(Owner!.Value(PrincipalOf(property, _link!), ownersRow), property.ClrType);
        }

        var value = property.IsShadowProperty() ? ShadowValue(property) : OwnValue(property, row);
        foreach (var (navigation, foreignKey) in Navigations(property))
        {
            var principal = PresentMember(navigation, row);
            value = Expression.Condition(
                RowExpression.IsNotNull(principal),
                RowExpression.As(KeyOf(principal, PrincipalOf(property, foreignKey), navigation), property.ClrType),
                value);
        }

        return value;
    }

    private Expression OwnValue(IProperty property, Expression row)
    {
        var value = PresentMember(property, row);
        return property == Type.FindDiscriminatorProperty()
            ? Expression.Condition(
                RowExpression.IsNotSentinel(value, property), RowExpression.As(value, property.ClrType), Discriminator(property))
            : RowExpression.As(value, property.ClrType);
    }

    private Expression ShadowValue(IProperty property)
        => property == Type.FindDiscriminatorProperty() ? Discriminator(property)
            : property.IsForeignKey() && !property.IsNullable
                ? RowExpression.Throw(TenancyStrings.BulkInsertPrincipalUnknown(Type.DisplayName(), property.Name), property.ClrType)
            : Expression.Default(property.ClrType);

    private ConstantExpression Discriminator(IProperty property)
        => Expression.Constant(Type.GetDiscriminatorValue(), property.ClrType);

    // As EF's fix-up: a navigation that is set tells the foreign key, whatever the property says.
    private IEnumerable<(INavigation Navigation, IForeignKey ForeignKey)> Navigations(IProperty property)
        => from foreignKey in property.GetContainingForeignKeys()
           where foreignKey != _link
                && !foreignKey.IsOwnership
                && foreignKey.DependentToPrincipal is { } navigation
                && !navigation.IsShadowProperty()
                && Type is IEntityType entityType
                && foreignKey.DeclaringEntityType.IsAssignableFrom(entityType)
           select (foreignKey.DependentToPrincipal, foreignKey);

    private Expression KeyOf(Expression principal, IProperty key, INavigation navigation)
    {
        var unsaved = TenancyStrings.BulkInsertPrincipalUnsaved(Type.DisplayName(), navigation.Name, key.DeclaringType.DisplayName());
        if (key.IsShadowProperty())
        {
            return RowExpression.Throw(unsaved, key.ClrType);
        }

        var value = RowExpression.Read(principal, key);
        return key.ValueGenerated.HasFlag(ValueGenerated.OnAdd)
            ? Expression.Condition(
                RowExpression.IsNotSentinel(value, key),
                RowExpression.As(value, key.ClrType),
                RowExpression.Throw(unsaved, key.ClrType))
            : RowExpression.As(value, key.ClrType);
    }

    private static IProperty PrincipalOf(IProperty property, IForeignKey foreignKey)
        => foreignKey.PrincipalKey.Properties[foreignKey.Properties.ToList().IndexOf(property)];
}
