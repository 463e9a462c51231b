using System.Collections.Concurrent;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfTenancy.Infrastructure.Internal;

/// <summary>
///     Under <c>UseInternalServiceProvider</c> EF caches one model for each context type, whatever the options say. A context with
///     other policies, or with tenancy after one without, would silently get that model, unfiltered entities included; this
///     refuses it.
/// </summary>
public class TenancySingletonOptions : ISingletonOptions
{
    // The box tells "no tenancy" from "not seen yet".
    private readonly ConcurrentDictionary<Type, ValueTuple<TenancyModelOptions?>> _options = new();

    public virtual void Initialize(IDbContextOptions options)
        => Validate(options);

    public virtual void Validate(IDbContextOptions options)
    {
        var modelOptions = ValueTuple.Create(options.FindExtension<TenancyOptionsExtension>()?.ModelOptions);

        if (!_options.GetOrAdd(((DbContextOptions)options).ContextType, modelOptions).Equals(modelOptions))
        {
            throw new InvalidOperationException(TenancyStrings.SingletonOptionsChanged);
        }
    }
}
