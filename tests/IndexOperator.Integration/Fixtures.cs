using IndexOperator.TestSupport;

[assembly: AssemblyFixture(typeof(ControlPlaneFixture))]
