using System.Runtime.Versioning;
using IndexOperator.E2E;
using Xunit.Sdk;
using Xunit.v3;

// One node and one operator: scenarios come one after another.
[assembly: Parallelization(Mode = ParallelMode.None)]
[assembly: AssemblyFixture(typeof(Cluster))]
[assembly: SupportedOSPlatform("linux")]
