using BenchmarkDotNet.Running;
using EfTenancy.Benchmarks;
using EfTenancy.Benchmarks.Partitions;

if (args is ["partitions", var flights])
{
    await PartitionMeasurements.RunAsync(flights);
}
else if (args is ["alternating"])
{
    await AlternatingMeasurements.RunAsync();
}
else if (args is ["separate"])
{
    await AlternatingMeasurements.RunSeparateAsync();
}
else if (args is ["split"])
{
    await PartitionMeasurements.SplitAsync();
}
else
{
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
}
