using Xunit;

// The classes share one broker, whose queues have one name each: two platforms at once would take each other's messages.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: AssemblyFixture(typeof(Sloring.Tests.EdgeBroker))]
