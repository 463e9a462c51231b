using System.Globalization;
using BenchmarkDotNet.Running;
using EfTenancy.Benchmarks;
using EfTenancy.Benchmarks.Moves;
using EfTenancy.Benchmarks.Partitions;

if (args is ["partitions", var flights])
{
    await PartitionMeasurements.RunAsync(flights);
}
else if (args is ["alternating"])
{
    await AlternatingMeasurements.RunAsync();
}
else if (args is ["models"])
{
    AlternatingMeasurements.RunModels();
}
else if (args is ["separate"])
{
    await AlternatingMeasurements.RunSeparateAsync();
}
else if (args is ["split"])
{
    await PartitionMeasurements.SplitAsync();
}
else if (args is ["removal", ..])
{
    await RemovalMeasurement.RunAsync(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 5, args.Length > 2 ? args[2] : "");
}
else if (args is ["moves", ..])
{
    await MoveMeasurements.RunAsync(
        args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1_000_000,
        args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 3);
}
else
{
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
}
