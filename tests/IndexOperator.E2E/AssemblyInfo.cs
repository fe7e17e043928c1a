using System.Runtime.Versioning;
using IndexOperator.E2E;
using Xunit.Sdk;
using Xunit.v3;

// One node and one operator: scenarios come one after another.
[assembly: Parallelization(Mode = ParallelMode.None)]
[assembly: AssemblyFixture(typeof(Cluster))]
[assembly: SupportedOSPlatform("linux")]
// What takes minutes by itself is looked at when everything else has run; what takes the operator or the node away comes last.
[assembly: TestCollectionOrderer(typeof(LastThingsLast))]
