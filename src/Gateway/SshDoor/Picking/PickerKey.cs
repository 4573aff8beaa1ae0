using System.Text;

namespace Countersign.Gateway.SshDoor.Picking;

internal enum PickerKeyKind : byte
{
    Character,
    Enter,
    Escape,
    Backspace,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,

    /// <summary>Ctrl-U: the whole search goes.</summary>
    ClearSearch,

    /// <summary>Ctrl-L: draw everything anew.</summary>
    Redraw,

    /// <summary>Ctrl-C or Ctrl-D.</summary>
    Leave,
}

/// <param name="Character">Of a <see cref="PickerKeyKind.Character"/>; one that <see cref="Sessions.PlainLine"/> holds.</param>
internal readonly record struct PickerKey(PickerKeyKind Kind, Rune Character = default);
