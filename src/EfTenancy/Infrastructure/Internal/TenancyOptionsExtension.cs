using System.Collections.Concurrent;
using System.Text.Json;
using EfTenancy.Diagnostics.Internal;
using EfTenancy.Metadata;
using EfTenancy.Properties;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;

namespace EfTenancy.Infrastructure.Internal;

/// <summary>
///     Stage 1, options. Receives the calls of <see cref="TenancyDbContextOptionsBuilder" />; hands immutable settings on to
///     the conventions (stage 2) and to <see cref="CurrentTenant" />.
/// </summary>
public class TenancyOptionsExtension : IDbContextOptionsExtension
{
    private static readonly ConcurrentDictionary<TenancyModelOptions, string> ModelOptionsTexts = [];

    private DbContextOptionsExtensionInfo? _info;
    private TenancyModelOptions? _modelOptions;
    private string? _modelOptionsText;
    private bool _defaultTenantDisabled;

    public TenancyOptionsExtension()
    {
    }

    protected TenancyOptionsExtension(TenancyOptionsExtension copyFrom)
    {
        AllEntitiesMultiTenanted = copyFrom.AllEntitiesMultiTenanted;
        Partitioning = copyFrom.Partitioning;
        TenantIdStyle = copyFrom.TenantIdStyle;
        TenantPropertyName = copyFrom.TenantPropertyName;
        TenantColumnLength = copyFrom.TenantColumnLength;
        TenantPropertyType = copyFrom.TenantPropertyType;
        TenantKeyStyle = copyFrom.TenantKeyStyle;
        _defaultTenantDisabled = copyFrom._defaultTenantDisabled;
        Databases = copyFrom.Databases;
        PendingMigrationsRefused = copyFrom.PendingMigrationsRefused;
        TenantAccessor = copyFrom.TenantAccessor;
    }

    public virtual DbContextOptionsExtensionInfo Info
        => _info ??= new ExtensionInfo(this);

    public virtual bool AllEntitiesMultiTenanted { get; private set; }

    public virtual TenantPartitioning? Partitioning { get; private set; }

    // Not virtual, as what else each lease of a pooled context asks for.
    public TenantIdStyle TenantIdStyle { get; private set; }

    public virtual string TenantPropertyName { get; private set; } = TenancyDefaults.TenantPropertyName;

    /// <summary>Null for a column without one.</summary>
    public virtual int? TenantColumnLength { get; private set; }

    public int MaxTenantIdLength
        => TenantColumnLength ?? TenancyDefaults.MaxTenantIdLength;

    /// <summary>Null for that of the entities' own tenant properties, or string where there are none.</summary>
    public virtual Type? TenantPropertyType { get; private set; }

    public virtual TenantKeyStyle TenantKeyStyle { get; private set; }

    /// <summary>Rows without a tenant have no place where tenants are apart.</summary>
    public virtual bool DefaultTenantDisabled
        => _defaultTenantDisabled || Databases is not null;

    /// <summary>Null where all tenants are in the database of the context.</summary>
    public TenantDatabases? Databases { get; private set; }

    public virtual bool PendingMigrationsRefused { get; private set; }

    public virtual Func<IServiceProvider, string?>? TenantAccessor { get; private set; }

    /// <summary>What shapes the model.</summary>
    public virtual TenancyModelOptions ModelOptions
        => _modelOptions ??= new(
            AllEntitiesMultiTenanted,
            Partitioning,
            TenantIdStyle,
            TenantPropertyName,
            TenantColumnLength,
            // Without its version: a compiled model, which holds this text, is of the build before.
            TenantPropertyType is { } type ? $"{type}, {type.Assembly.GetName().Name}" : null,
            TenantKeyStyle);

    /// <summary>The same as the text that a model is marked with; worked out once, since each context asks, and may have options of its own.</summary>
    public virtual string ModelOptionsText
        => _modelOptionsText ??= ModelOptionsTexts.GetOrAdd(ModelOptions, static o => JsonSerializer.Serialize(o));

    protected virtual TenancyOptionsExtension Clone()
        => new(this);

    public virtual TenancyOptionsExtension WithAllEntitiesMultiTenanted()
    {
        var clone = Clone();
        clone.AllEntitiesMultiTenanted = true;
        return clone;
    }

    public virtual TenancyOptionsExtension WithPartitioning(TenantPartitioning? partitioning)
    {
        var clone = Clone();
        clone.Partitioning = partitioning;
        return clone;
    }

    public virtual TenancyOptionsExtension WithTenantIdStyle(TenantIdStyle style)
    {
        var clone = Clone();
        clone.TenantIdStyle = style;
        return clone;
    }

    public virtual TenancyOptionsExtension WithTenantProperty(string name, int? columnLength, Type? type)
    {
        var clone = Clone();
        clone.TenantPropertyName = name;
        clone.TenantColumnLength = columnLength;
        clone.TenantPropertyType = type;
        return clone;
    }

    public virtual TenancyOptionsExtension WithTenantKeyStyle(TenantKeyStyle style)
    {
        var clone = Clone();
        clone.TenantKeyStyle = style;
        return clone;
    }

    public virtual TenancyOptionsExtension WithDefaultTenantDisabled()
    {
        var clone = Clone();
        clone._defaultTenantDisabled = true;
        return clone;
    }

    public virtual TenancyOptionsExtension WithPendingMigrationsRefused()
    {
        var clone = Clone();
        clone.PendingMigrationsRefused = true;
        return clone;
    }

    public virtual TenancyOptionsExtension WithDatabases(TenantDatabases databases)
    {
        var clone = Clone();
        clone.Databases = databases;
        return clone;
    }

    public virtual TenancyOptionsExtension WithTenantAccessor(Func<IServiceProvider, string?> tenantAccessor)
    {
        var clone = Clone();
        clone.TenantAccessor = tenantAccessor;
        return clone;
    }

    public virtual void ApplyServices(IServiceCollection services)
        => services.AddEntityFrameworkTenancy();

    public virtual void Validate(IDbContextOptions options)
    {
#pragma warning disable EF1001 // The only way to tell which provider a context uses before its services exist.
        if (options.FindExtension<NpgsqlOptionsExtension>() is null
            && options.Extensions.Any(e => e.Info.IsDatabaseProvider))
#pragma warning restore EF1001
        {
            throw new InvalidOperationException(TenancyStrings.ProviderIsNotNpgsql);
        }

        if (Databases is { } databases && databases.TenantIdStyle != TenantIdStyle)
        {
            throw new InvalidOperationException(TenancyStrings.TenantIdStylesDiffer(TenantIdStyle, databases.TenantIdStyle));
        }

        ReplacedServices.Refuse(options);

        // EF tells its singletons of the options only after this: whatever needs them would remember that there are none.
        if (options.FindExtension<CoreOptionsExtension>()?.InternalServiceProvider is { } internalServiceProvider
            && internalServiceProvider.GetService<LoggingDefinitions>() is not TenancyLoggingDefinitions)
        {
            throw new InvalidOperationException(TenancyStrings.TenancyServicesMissing);
        }
    }

    // What shapes the model is in hash and equality; the tenant and where it comes from must not be, else EF would build
    // a service provider and a model for each of them.
    private sealed class ExtensionInfo(TenancyOptionsExtension extension) : DbContextOptionsExtensionInfo(extension)
    {
        private new TenancyOptionsExtension Extension
            => (TenancyOptionsExtension)base.Extension;

        private TenancyModelOptions ModelOptions
            => Extension.ModelOptions;

        public override bool IsDatabaseProvider
            => false;

        public override string LogFragment
            => Extension.AllEntitiesMultiTenanted ? "using tenancy for all entities " : "using tenancy ";

        public override int GetServiceProviderHashCode()
            => ModelOptions.GetHashCode();

        public override bool ShouldUseSameServiceProvider(DbContextOptionsExtensionInfo other)
            => other is ExtensionInfo otherInfo
                && ModelOptions == otherInfo.ModelOptions;

        public override void PopulateDebugInfo(IDictionary<string, string> debugInfo)
            => debugInfo["Tenancy"] = ModelOptions.ToString();
    }
}
