using System.Globalization;
using System.Text;

namespace BuilderBench;

/// <summary>Draws how seconds grow with documents, both axes logarithmic: a straight line of slope one is linear growth.</summary>
internal static class ScalePlot
{
    private const int Width = 760;
    private const int Height = 460;
    private const int Left = 70;
    private const int Right = 20;
    private const int Top = 40;
    private const int Bottom = 60;

    private static readonly string[] Colours = ["#1f6feb", "#d1570a", "#2da44e", "#8250df"];

    /// <summary>SVG text.</summary>
    public static string Draw(IReadOnlyList<ScalePoint> points)
    {
        var (least, most) = (points.Min(point => point.Documents), points.Max(point => point.Documents));
        var (low, high) = (Decade(points.Min(point => point.Seconds), up: false), Decade(points.Max(point => point.Seconds), up: true));
        double X(double documents) => Left + ((Width - Left - Right) * Math.Log(documents / least) / Math.Log((double)most / least));
        double Y(double seconds) => Height - Bottom - ((Height - Top - Bottom) * Math.Log(seconds / low) / Math.Log(high / low));

        var svg = new StringBuilder();
        Add(svg, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" font-family=\"sans-serif\" font-size=\"13\">");
        Add(svg, $"<rect width=\"{Width}\" height=\"{Height}\" fill=\"#ffffff\"/>");
        Add(svg, $"<text x=\"{Left}\" y=\"22\" font-size=\"15\">index-builder build, one epoch: seconds by documents</text>");
        foreach (var documents in points.Select(point => point.Documents).Distinct())
        {
            Add(svg, $"<line x1=\"{X(documents):0.0}\" y1=\"{Top}\" x2=\"{X(documents):0.0}\" y2=\"{Height - Bottom}\" stroke=\"#e5e5e5\"/>");
            Add(svg, $"<text x=\"{X(documents):0.0}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{documents / 1_000_000}M</text>");
        }

        for (var seconds = low; seconds <= high * 1.001; seconds *= 10)
        {
            Add(svg, $"<line x1=\"{Left}\" y1=\"{Y(seconds):0.0}\" x2=\"{Width - Right}\" y2=\"{Y(seconds):0.0}\" stroke=\"#e5e5e5\"/>");
            Add(svg, $"<text x=\"{Left - 8}\" y=\"{Y(seconds) + 4:0.0}\" text-anchor=\"end\">{seconds:0.###} s</text>");
        }

        foreach (var (series, i) in points.GroupBy(point => point.Threads).OrderByDescending(series => series.Key).Select((series, i) => (series, i)))
        {
            var colour = Colours[i % Colours.Length];
            var sorted = series.OrderBy(point => point.Documents).ToList();
            var line = string.Join(' ', sorted.Select(point => Text($"{X(point.Documents):0.0},{Y(point.Seconds):0.0}")));
            Add(svg, $"<polyline points=\"{line}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>");
            foreach (var point in sorted)
            {
                Add(svg, $"<circle cx=\"{X(point.Documents):0.0}\" cy=\"{Y(point.Seconds):0.0}\" r=\"3\" fill=\"{colour}\"><title>{point.Documents / 1_000_000}M: {point.Seconds:0.000} s</title></circle>");
            }

            // What the largest would cost at every size if growth were exactly linear.
            var perDocument = sorted[^1].Seconds / sorted[^1].Documents;
            var from = Math.Max(least, low / perDocument);
            Add(svg, $"<line x1=\"{X(from):0.0}\" y1=\"{Y(from * perDocument):0.0}\" x2=\"{X(most):0.0}\" y2=\"{Y(most * perDocument):0.0}\" stroke=\"{colour}\" stroke-dasharray=\"2 4\"/>");
            Add(svg, $"<text x=\"{Left + 12}\" y=\"{Top + 18 + (18 * i)}\" fill=\"{colour}\">{series.Key} thread{(series.Key == 1 ? "" : "s")} (dotted: exactly linear)</text>");
        }

        Add(svg, $"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 14}\" text-anchor=\"middle\">documents (mean 600 tokens, sequence length 4096)</text>");
        Add(svg, $"</svg>");
        return svg.ToString();
    }

    private static double Decade(double seconds, bool up) => Math.Pow(10, up ? Math.Ceiling(Math.Log10(seconds)) : Math.Floor(Math.Log10(seconds)));

    private static void Add(StringBuilder svg, FormattableString line) => svg.Append(Text(line)).Append('\n');

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
