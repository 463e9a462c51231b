using BenchmarkDotNet.Running;
using EfTenancy.Benchmarks.Partitions;

if (args is ["partitions", var flights])
{
    await PartitionMeasurements.RunAsync(flights);
}
else
{
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
}
