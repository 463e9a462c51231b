namespace EfTenancy.Administration.Internal;

/// <summary>Others have a lock, or have just changed what was about to be locked: the transaction is worth another attempt.</summary>
public sealed class TenantLockException(string message, Exception? innerException = null) : Exception(message, innerException);
