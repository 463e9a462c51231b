using EfTenancy.Administration;
using Spectre.Console;

namespace EfTenancy.CommandLine.Internal;

/// <summary>Told in the order of the work, unlike <see cref="Progress{T}" />, which asks the thread pool.</summary>
internal sealed class ProgressOfTables(ProgressContext context) : IProgress<TenantProgress>
{
    private readonly Dictionary<string, ProgressTask> _tasks = [];

    public static Task<T> ShowAsync<T>(IAnsiConsole console, Func<IProgress<TenantProgress>, Task<T>> work)
        => console.Progress().StartAsync(context => work(new ProgressOfTables(context)));

    public void Report(TenantProgress value)
    {
        if (!_tasks.TryGetValue(value.Table, out var task))
        {
            _tasks.Add(value.Table, task = context.AddTask(Markup.Escape(value.Table)));
        }

        task.MaxValue = value.Total;
        task.Value = value.Done;
    }
}
