using Countersign.Access;
using Countersign.Sessions.Journal;

namespace Countersign.Sessions.Files;

/// <summary>Writes refusals down: the first at once, and the same that follow as one event with their number.</summary>
internal sealed class RefusedFiles(Action<JournalEvent> note)
{
    private const int MostTogether = 1000;

    private FileRefused? _last;
    private int _more;

    public void Add(FileAction action, string path, PermissionSet needs)
    {
        var refused = new FileRefused(action, path, FileNames.Labels(needs), 1);
        if (_last is null || _last.Action != action || _last.Path != path || _last.Needs != refused.Needs)
        {
            Flush();
            note(refused);
        }
        else if (++_more == MostTogether)
        {
            _last = refused;
            Tell();
            return;
        }

        _last = refused;
    }

    /// <summary>Something else happened: what was refused before it stands before it.</summary>
    public void Flush()
    {
        if (_more > 0) Tell();
        _last = null;
    }

    private void Tell()
    {
        note(_last! with { Times = _more });
        _more = 0;
    }
}
