namespace EfTenancy;

/// <summary>
///     Rows of this entity are global: the same for every tenant. Stronger than the policy given to <c>UseTenancy</c>,
///     weaker than <c>IsMultiTenanted()</c> and <c>IsSingleTenanted()</c> in <c>OnModelCreating</c>; the order is Marten's.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class SingleTenantedAttribute : Attribute;
