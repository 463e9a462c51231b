using EfTenancy.Administration;

namespace EfTenancy.FunctionalTests.TestUtilities;

/// <summary>Hands on what administration tells, in the middle of its work; <see cref="Progress{T}" /> would do so some time later.</summary>
internal sealed class Told(Action<TenantProgress> report) : IProgress<TenantProgress>
{
    public void Report(TenantProgress value)
        => report(value);
}
