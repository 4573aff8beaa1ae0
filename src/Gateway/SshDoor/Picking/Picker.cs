using System.Text;

namespace Countersign.Gateway.SshDoor.Picking;

/// <summary>
/// A list on a terminal from which one thing is chosen: what is searched for, what is found, which row is marked, which rows are shown. Knows nothing
/// of the wire. One thread at a time.
/// </summary>
internal sealed class Picker(PickerList list)
{
    /// <summary>Longest search, in UTF-16 units.</summary>
    public const int LongestSearch = 64;

    private readonly StringBuilder _search = new();
    private PickerList _list = list;
    private List<int>? _found;
    private int _marked;
    private int _top;
    private int _rows = 1;
    private bool _isUnseen;

    public PickerList List => _list;

    public string Search => _search.ToString();

    public int Count => Found.Count;

    /// <summary>The marked one's place among those found.</summary>
    public int Marked => _marked;

    /// <summary>The first one shown.</summary>
    public int Top => _top;

    /// <summary>Null: nothing is found; or what was marked has gone with its version of the list, and what took its place has not been shown.</summary>
    public PickerItem? Choice => Count == 0 || _isUnseen ? null : _list.Items[Found[_marked]];

    private List<int> Found => _found ??= _list.Find(Search);

    public PickerItem this[int place] => _list.Items[Found[place]];

    /// <summary>How many things are shown at once from now on; at least one.</summary>
    public void Fit(int rows)
    {
        _rows = Math.Max(1, rows);
        Settle();
    }

    /// <summary>What is marked has been shown from here on.</summary>
    public void Shown() => _isUnseen = false;

    /// <summary>
    /// Another version of the list: the mark stays on what it was on, if that is still there. If not, nothing is chosen until it has been <see cref="Shown"/>: who
    /// pressed Enter meant what they saw, and might type on at another device.
    /// </summary>
    public void Replace(PickerList list)
    {
        var marked = Choice;
        _list = list;
        _found = null;
        var place = marked is { } before ? Found.FindIndex(found => _list.Items[found].Device == before.Device && _list.Items[found].Account == before.Account) : -1;
        if (place >= 0) _marked = place;
        else _isUnseen = true;
        Settle();
    }

    /// <summary>Does what the key means here. <see cref="PickerKeyKind.Enter"/> and <see cref="PickerKeyKind.Leave"/> are for the owner.</summary>
    public void Press(PickerKey key)
    {
        switch (key.Kind)
        {
            case PickerKeyKind.Character:
                Type(key.Character);
                break;
            case PickerKeyKind.Backspace when _search.Length > 0:
                _search.Length -= char.IsLowSurrogate(_search[^1]) ? 2 : 1;
                Searched(null);
                break;
            case PickerKeyKind.Escape or PickerKeyKind.ClearSearch when _search.Length > 0:
                _search.Clear();
                Searched(null);
                break;
            case PickerKeyKind.Up:
                Move(_marked - 1);
                break;
            case PickerKeyKind.Down:
                Move(_marked + 1);
                break;
            case PickerKeyKind.PageUp:
                Move(_marked - _rows);
                break;
            case PickerKeyKind.PageDown:
                Move(_marked + _rows);
                break;
            case PickerKeyKind.Home:
                Move(0);
                break;
            case PickerKeyKind.End:
                Move(Count - 1);
                break;
        }
    }

    private void Type(Rune character)
    {
        if (_search.Length + character.Utf16SequenceLength > LongestSearch) return;
        _search.Append(character.ToString());

        // What a longer search finds, the shorter one had found: the list is not gone through anew for each letter.
        Searched(_found is null ? null : _list.Find(Search, _found));
    }

    private void Searched(List<int>? found)
    {
        _found = found;
        (_marked, _top) = (0, 0);

        // Whoever types and presses Enter in one go means the first one that is found, seen or not.
        _isUnseen = false;
    }

    private void Move(int place)
    {
        _marked = place;
        Settle();
    }

    private void Settle()
    {
        _marked = Math.Clamp(_marked, 0, Math.Max(0, Count - 1));
        _top = Math.Clamp(_top, Math.Max(0, _marked - _rows + 1), _marked);
        _top = Math.Min(_top, Math.Max(0, Count - _rows));
    }
}
