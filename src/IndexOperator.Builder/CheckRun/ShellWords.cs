using System.Text;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.CheckRun;

/// <summary>The words of a command while they are read. Bounded: variables in variables grow without end in a few lines.</summary>
internal sealed class ShellWords
{
    private const int MaxWords = 1 << 20;
    private const int MaxCharacters = 16 << 20;

    private readonly StringBuilder _word = new();
    private List<ShellWord> _words = [];
    private string? _unknown;
    private int _count;
    private int _characters;

    /// <summary>Whether a word has begun: also one that is empty so far, as quotes make it.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>The word that has begun.</summary>
    public string Open => _word.ToString();

    /// <summary>Words that have ended.</summary>
    public int Count => _words.Count;

    /// <summary>Adds to the word, or begins one.</summary>
    public void Add(char c) => Add([c]);

    /// <summary>Adds to the word, or begins one.</summary>
    /// <exception cref="IndexingException">InvalidSpec: it is more than any command line has.</exception>
    public void Add(ReadOnlySpan<char> text)
    {
        _characters += text.Length;
        if (_characters > MaxCharacters)
        {
            throw ShellText.Unreadable($"has more than {MaxCharacters} characters once its variables are put in");
        }

        _word.Append(text);
        IsOpen = true;
    }

    /// <summary>Remembers that a part of the word is not known.</summary>
    public void MarkUnknown(string? part) => _unknown ??= part;

    /// <summary>Forgets the word that has begun.</summary>
    public void Clear()
    {
        _word.Clear();
        _unknown = null;
        IsOpen = false;
    }

    /// <summary>Ends the word, if one has begun.</summary>
    /// <exception cref="IndexingException">InvalidSpec: there are more than any command line has.</exception>
    public void End()
    {
        if (!IsOpen)
        {
            return;
        }

        if (++_count > MaxWords)
        {
            throw ShellText.Unreadable($"has more than {MaxWords} words once its variables are put in");
        }

        _words.Add(new ShellWord(Open, _unknown));
        Clear();
    }

    /// <summary>Takes the words that have ended.</summary>
    public List<ShellWord> Take()
    {
        var words = _words;
        _words = [];
        return words;
    }

    /// <summary>Gives words back that were taken.</summary>
    public void Restore(List<ShellWord> words) => _words = words;

    /// <summary>Forgets the words after the first few.</summary>
    public void Cut(int count) => _words.RemoveRange(count, _words.Count - count);
}
