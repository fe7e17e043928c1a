using IndexOperator.TestSupport;

[assembly: AssemblyFixture(typeof(ControlPlaneFixture))]

// Tests wait for the cluster most of their time, and each has a namespace of its own.
[assembly: Xunit.v3.Parallelization(MaxThreads = 8)]
