using System.Text.Json;

namespace IndexOperator.Indexing.Tests;

public sealed class PythonTextTests
{
    [Theory]
    [InlineData(0.0, "0.0")]
    [InlineData(-0.0, "-0.0")]
    [InlineData(1.0, "1.0")]
    [InlineData(0.1, "0.1")]
    [InlineData(-2.5, "-2.5")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(0.00012345, "0.00012345")]
    [InlineData(0.00001, "1e-05")]
    [InlineData(0.000012345, "1.2345e-05")]
    [InlineData(1e15, "1000000000000000.0")]
    [InlineData(123456789012345680.0, "1.2345678901234568e+17")]
    [InlineData(9999999999999998.0, "9999999999999998.0")]
    [InlineData(1e16, "1e+16")]
    [InlineData(1.5e16, "1.5e+16")]
    [InlineData(1e22, "1e+22")]
    [InlineData(1e100, "1e+100")]
    [InlineData(2.98023223876953125e-08, "2.9802322387695312e-08")] // 2^-25, which .NET prints one digit short.
    [InlineData(9007199254740992.0, "9007199254740992.0")]
    [InlineData(2.2250738585072014e-308, "2.2250738585072014e-308")]
    [InlineData(5e-324, "5e-324")]
    [InlineData(1.7976931348623157e308, "1.7976931348623157e+308")]
    [InlineData(0.9500000000000001, "0.9500000000000001")]
    [InlineData(123456.0, "123456.0")]
    [InlineData(double.NaN, "nan")]
    [InlineData(double.NegativeInfinity, "-inf")]
    public void A_float_prints_as_Python_prints_it(double value, string expected) => Assert.Equal(expected, PythonFloat.Repr(value));

    [Theory]
    [InlineData("[]", "[]")]
    [InlineData("{}", "{}")]
    [InlineData("[1,[]]", "[\n    1,\n    []\n]")]
    [InlineData("{\"a\":null}", "{\n    \"a\": null\n}")]
    [InlineData("-0", "0")]
    [InlineData("-0.0", "-0.0")]
    [InlineData("1E2", "100.0")]
    [InlineData("1e999", "Infinity")]
    [InlineData("12345678901234567890123", "12345678901234567890123")]
    [InlineData("\"\\u007f/\\u00e9\\ud83d\\ude00\\u0000\"", "\"\\u007f/\\u00e9\\ud83d\\ude00\\u0000\"")]
    [InlineData("{\"a\":1,\"b\":2,\"a\":3}", "{\n    \"a\": 3,\n    \"b\": 2\n}")]
    public void Json_prints_as_Python_prints_what_it_read(string json, string expected) => Assert.Equal(expected, PythonJson.Dump(PythonJson.Load(json)));

    [Theory]
    [InlineData("{")]
    [InlineData("NaN")]
    [InlineData("\"\\ud800\"")]
    [InlineData("[1,]")]
    public void What_is_no_json_is_refused(string json) => Assert.ThrowsAny<JsonException>(() => PythonJson.Load(json));

    [Fact]
    public void Json_nested_without_end_is_refused() =>
        Assert.ThrowsAny<JsonException>(() => PythonJson.Load(new string('[', 100_000) + new string(']', 100_000)));
}
