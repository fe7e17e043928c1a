using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace IndexOperator.TestSupport;

/// <summary>What a health check says of an object.</summary>
/// <param name="Status">Its status.</param>
/// <param name="Message">Its message.</param>
public sealed record ArgoHealth(string? Status, string? Message);

/// <summary>
/// Argo CD's health checks, run as it runs them: by Lua 5.1, with the basic functions and <c>table</c> alone, and the object as the global
/// <c>obj</c>. The interpreter is Debian's, which <c>hack/provision.sh unit</c> brings.
/// </summary>
public static class ArgoHealthCheck
{
    private const string Interpreter = "lua5.1";

    // One answer ends in two NULs, which no text of an API server has.
    private const string Runner = """
        local file = assert(io.open(arg[1]))
        local source = file:read("*a")
        file:close()
        local names = {"assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget", "rawset", "select", "setmetatable", "table", "tonumber", "tostring", "type", "unpack", "xpcall"}
        local function check(build)
          local globals = {obj = build(), actionParams = {}}
          globals._G = globals
          for _, name in ipairs(names) do globals[name] = _G[name] end
          local chunk = assert(loadstring(source, "@" .. arg[1]))
          local health = setfenv(chunk, globals)()
          assert(type(health) == "table", "the check gave a " .. type(health))
          io.write(health.status, "\0", health.message or "", "\0")
        end

        """;

    /// <summary>The health of each object.</summary>
    /// <param name="script">The check, from the root of the checkout.</param>
    /// <param name="objects">The objects.</param>
    public static async Task<IReadOnlyList<ArgoHealth>> RunAsync(string script, IReadOnlyCollection<JsonNode> objects)
    {
        var program = new StringBuilder(Runner.ReplaceLineEndings("\n"));
        foreach (var item in objects)
        {
            program.Append("check(function() return ");
            Write(program, item);
            program.Append(" end)\n");
        }

        var result = await Command.RunAsync(Interpreter, ["-", script], program.ToString());
        Assert.True(result.ExitCode == 0, result.ToString());
        var words = result.Output.Split('\0');
        Assert.Equal(2 * objects.Count, words.Length - 1);
        return [.. words.SkipLast(1).Chunk(2).Select(pair => new ArgoHealth(pair[0], pair[1]))];
    }

    private static void Write(StringBuilder text, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                text.Append('{');
                foreach (var (name, value) in members)
                {
                    text.Append('[');
                    Write(text, name);
                    text.Append("]=");
                    Write(text, value);
                    text.Append(',');
                }

                text.Append('}');
                break;
            case JsonArray items:
                text.Append('{');
                foreach (var item in items)
                {
                    Write(text, item);
                    text.Append(',');
                }

                text.Append('}');
                break;
            case null:
                text.Append("nil");
                break;
            case var value when value.GetValueKind() == JsonValueKind.String:
                Write(text, value.GetValue<string>());
                break;
            default:
                text.Append(node.ToJsonString());
                break;
        }
    }

    // Each byte by its number: nothing in a text can end the literal.
    private static void Write(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var each in Encoding.UTF8.GetBytes(value))
        {
            text.Append(CultureInfo.InvariantCulture, $"\\{each:000}");
        }

        text.Append('"');
    }
}
