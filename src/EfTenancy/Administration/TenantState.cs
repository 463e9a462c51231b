namespace EfTenancy.Administration;

/// <summary>Whether a registered tenant can work.</summary>
public enum TenantState
{
    /// <summary>Contexts open for it.</summary>
    Active,

    /// <summary>It is disabled: contexts refuse it with a <see cref="TenantDisabledException" />.</summary>
    Disabled,

    /// <summary>Adding it has not come to its end; tables that lack its partition refuse its rows.</summary>
    Adding,

    /// <summary>Removing it has not come to its end; contexts refuse it with a <see cref="TenantDisabledException" />.</summary>
    Removing,
}
