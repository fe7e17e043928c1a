using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace IndexOperator.Indexing.Tests;

/// <summary>Texts and numbers beside those of a real Python, over inputs that nobody chose by hand.</summary>
public sealed class PythonComparisonTests
{
    private const int Count = 100_000;

    private const string Script = """
        import json, re, struct, sys
        def text(h): return bytes.fromhex(h).decode('utf-16-be', 'surrogatepass')
        def real(h): return struct.unpack('>d', bytes.fromhex(h))[0]
        def number(h):
            try: float(text(h)); return '1'
            except ValueError: return '0'
        def split(h):
            try: return ' '.join(repr(float(x)) for x in re.findall(r'[.0-9]+', text(h)))
            except ValueError: return 'error'
        work = {
            'repr': lambda h: repr(real(h)),
            'quote': lambda h: json.dumps(text(h)),
            'json': lambda h: json.dumps(json.loads(text(h)), indent=4).replace('\n', '~'),
            'number': number, 'split': lambda h: split(h) + '.',
            'round': lambda h: str(int(round(real(h)))),
        }[sys.argv[1]]
        for line in open(sys.argv[2]): print(work(line.strip()))
        """;

    private static readonly Random Random = new(20261124);

    [Fact]
    public void Floats_print_as_Python_prints_them() => Compare("repr", Doubles(), Hex, PythonFloat.Repr);

    [Fact]
    public void Strings_print_as_Python_prints_them() => Compare("quote", Strings(), Hex, PythonJson.Dump);

    [Fact]
    public void Nested_values_print_as_Python_prints_what_it_read() =>
        Compare("json", Enumerable.Range(0, Count / 10).Select(_ => Json(4)), Hex, json => PythonJson.Dump(PythonJson.Load(json)).Replace('\n', '~'));

    [Fact]
    public void Texts_are_numbers_where_Python_reads_them_as_floats() =>
        Compare("number", Enumerable.Range(0, Count).Select(_ => Draw("0123456789.eE+-_ infaNtyxd\u0661\u00bd\uff11\u00a0", 6)), Hex, text => PythonFloat.IsNumber(text) ? "1" : "0");

    [Fact]
    public void Split_texts_have_the_numbers_that_Python_finds() =>
        Compare("split", Enumerable.Range(0, Count).Select(_ => Draw("0123456789..,, -e", 9)), Hex, text =>
        {
            var parts = System.Text.RegularExpressions.Regex.Matches(text, "[.0-9]+").Select(match => (PythonFloat.TryParseDigits(match.Value, out var value), value)).ToList();
            return parts.Exists(part => !part.Item1) ? "error." : string.Join(' ', parts.Select(part => PythonFloat.Repr(part.value))) + ".";
        });

    [Fact]
    public void Bounds_round_as_Python_rounds()
    {
        var halves = Enumerable.Range(0, Count / 2).Select(i => i + 0.5);
        var products = Enumerable.Range(0, Count / 2).Select(_ => Random.NextDouble() * Random.Next());
        Compare("round", halves.Concat(products), Hex, value => ((long)Math.Round(value, MidpointRounding.ToEven)).ToString(CultureInfo.InvariantCulture));
    }

    private static IEnumerable<double> Doubles()
    {
        yield return -0.0;
        foreach (var power in Enumerable.Range(-324, 633))
        {
            var value = double.Parse($"1e{power}", CultureInfo.InvariantCulture);
            yield return value;
            yield return Math.BitIncrement(value);
            yield return -Math.BitDecrement(value);
        }

        while (true)
        {
            var bits = BitConverter.Int64BitsToDouble(Random.NextInt64(long.MinValue, long.MaxValue));
            yield return double.IsNaN(bits) ? 0.0 : bits;
            yield return Random.NextDouble();
            yield return Math.Round(Random.NextDouble() * 1e17, Random.Next(4));
            yield return Random.Next(1000) / 1000.0;
            yield return Math.Pow(2, Random.Next(-1074, 1023)) * Random.Next(1, 9);
        }
    }

    private static IEnumerable<string> Strings()
    {
        // Every character once; half of a surrogate pair is no text in .NET's JSON and is refused there.
        for (var c = 0; c < 0x10000; c++)
        {
            if (!char.IsSurrogate((char)c))
            {
                yield return "a" + (char)c;
            }
        }

        while (true)
        {
            yield return string.Concat(Enumerable.Range(0, Random.Next(12)).Select(_ =>
            {
                var point = Random.Next(4) == 0 ? Random.Next(0x10000, 0x110000) : Random.Next(3) == 0 ? Random.Next(0x20) : Random.Next(0x7f + 40);
                return char.ConvertFromUtf32(point);
            }));
        }
    }

    private static string Draw(string alphabet, int longest) =>
        new([.. Enumerable.Range(0, Random.Next(longest + 1)).Select(_ => alphabet[Random.Next(alphabet.Length)])]);

    private static string Json(int depth) => Random.Next(depth == 0 ? 5 : 8) switch
    {
        0 => "null",
        1 => Random.Next(2) == 0 ? "true" : "false",
        2 => BigNumber(),
        3 => $"{Random.Next(2) switch { 0 => "-", _ => "" }}{Random.Next(100)}.{Random.Next(1000)}e{Random.Next(-330, 330)}",
        4 => PythonJson.Dump(Draw("ab\"\\\u00e9\n/~", 5)),
        5 => "[]",
        6 => "[" + string.Join(" , ", Enumerable.Range(0, Random.Next(1, 4)).Select(_ => Json(depth - 1))) + "]",
        _ => "{" + string.Join(",", Enumerable.Range(0, Random.Next(4)).Select(i => $"\"{(char)('a' + Random.Next(3))}\": {Json(depth - 1)}")) + "}",
    };

    private static string BigNumber() => (Random.Next(2) == 0 ? "-" : "") + Random.Next(1, 10) + string.Concat(Enumerable.Range(0, Random.Next(40)).Select(_ => Random.Next(10)));

    private static string Hex(double value) => BitConverter.DoubleToInt64Bits(value).ToString("x16", CultureInfo.InvariantCulture);

    private static string Hex(string value) => Convert.ToHexStringLower(Encoding.BigEndianUnicode.GetBytes(value));

    private static void Compare<T>(string work, IEnumerable<T> values, Func<T, string> encode, Func<T, string> engine)
    {
        var inputs = values.Take(Count).ToList();
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["script.py"], Script);
        File.WriteAllLines(directory["input"], inputs.Select(encode));
        var answers = Python(directory["script.py"], work, directory["input"]);
        Assert.Equal(inputs.Count, answers.Length);
        for (var i = 0; i < answers.Length; i++)
        {
            var (python, ours) = (answers[i], engine(inputs[i]));
            Assert.True(python == ours, $"{work} of \"{inputs[i]}\" ({encode(inputs[i])}): Python {python}, engine {ours}");
        }
    }

    private static string[] Python(params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("python3", arguments) { RedirectStandardOutput = true })!;
            var lines = process.StandardOutput.ReadToEnd().TrimEnd('\n').Split('\n');
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
            return lines;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("There is no python3 on the PATH to compare with.");
            return [];
        }
    }
}
