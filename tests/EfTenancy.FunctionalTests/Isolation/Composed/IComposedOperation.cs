namespace EfTenancy.FunctionalTests.Isolation.Composed;

public interface IComposedOperation
{
    /// <summary>Runs it in a context, with its sets, and returns the text of what came of it.</summary>
    string Run(BazaarContext db, SetReplacement sets, QueryAnswer answer);
}
