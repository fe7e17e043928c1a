using IndexOperator.Operator;

return await OperatorCommand.Create(OperatorHost.RunAsync).Parse(args).InvokeAsync();
