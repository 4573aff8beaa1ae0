namespace Countersign.Access;

/// <summary>
/// Plans several commands one after another for one actor, each on what those before it lead to and measured as if it were alone: together they can
/// do nothing that they could not do one by one.
/// </summary>
/// <remarks>
/// A version of the model is made only where a command may depend on those before it. What is done to devices of other ids and names does not: the
/// rows of one device change no rights over another one. So a thousand devices cost one version and not a thousand.
/// </remarks>
internal sealed class SeveralPlanning
{
    private readonly PolicySnapshot _first;
    private readonly PlanActor _actor;
    private readonly Dictionary<RowKey, RowChange> _whole = [];
    private readonly List<RowKey> _order = [];
    private readonly SortedDictionary<int, PlanResult> _refused = [];
    private readonly List<(int Index, IReadOnlyList<RowChange> Changes)> _pending = [];
    private readonly HashSet<string> _pendingNames = new(StringComparer.Ordinal);
    private PolicySnapshot _now;
    private Authority? _authority;

    public SeveralPlanning(PolicySnapshot first, in PlanActor actor)
    {
        (_first, _now) = (first, first);
        _actor = actor;
    }

    public PlanResult Plan(PolicyCommand.Several several)
    {
        if (several.Commands.Count > PolicyCommand.Several.Most) return Fields.Invalid("commands", $"One change is of at most {PolicyCommand.Several.Most} commands.");
        foreach (var (index, command) in several.Commands.Index())
        {
            if (Names(command) is not { } names)
            {
                Settle();
                Take(index, command);
                Settle();
                continue;
            }

            if (_pendingNames.Overlaps(names))
            {
                Settle();
                names = Names(command)!;
            }

            _pendingNames.UnionWith(names);
            Take(index, command);
        }

        Settle();
        if (_refused.Count > 0) return new PlanResult.SomeRefused([.. _refused.Select(refused => new RefusedStep(refused.Key, refused.Value))]);
        var changes = _order.Select(key => _whole[key]).Where(change => !Equals(change.Before, change.After));
        return new PlanResult.Planned(new(_first.Organization, _first.Version, several.Summary, [.. changes]));
    }

    /// <summary>The actor's in the version that the next command is planned on: as long as that is the same one, so is this.</summary>
    private Authority Authority => _authority ??= new(_now.Model, _actor.Id, _actor.At);

    /// <summary>The ids and names of devices that the command depends on or changes; null: it may depend on anything.</summary>
    private IReadOnlyList<string>? Names(PolicyCommand command) => command switch
    {
        PolicyCommand.AddDevice add => [add.Id.ToString(), add.Name ?? ""],
        PolicyCommand.EditDevice edit => [edit.Id.ToString(), NameOf(edit.Id), edit.Name ?? NameOf(edit.Id)],
        PolicyCommand.DeleteDevice delete => [delete.Id.ToString(), NameOf(delete.Id)],
        _ => null,
    };

    // What is not there has its id for a name: no two commands get into each other's way by it.
    private string NameOf(DeviceId id) => _now.Device(id)?.Name ?? id.ToString();

    private void Take(int index, PolicyCommand command)
    {
        var result = command is PolicyCommand.Several or PolicyCommand.Undo or PolicyCommand.ActivatePerson
            ? new PlanResult.Forbidden("This is a change of its own.")
            : new Planner(_now, _actor, Authority).PlanUnmeasured(command);
        if (result is PlanResult.Planned { Delta: var delta }) _pending.Add((index, delta.Changes));
        else _refused.Add(index, result);
    }

    /// <summary>Makes the version that what is pending leads to. If that goes too far, whatever of it does is taken out.</summary>
    private void Settle()
    {
        _pendingNames.Clear();
        if (_pending.Count == 0) return;
        var planner = new Planner(_now, _actor, Authority);
        var after = With(_pending);
        if (planner.Overreach(after, Changes(_pending)) is not null)
        {
            // They don't depend on one another: each that goes too far does so alone. Where all are rows of devices, what one means is seen as well in the version
            // that has them all, and a thousand versions are not made; a grant or a setting that goes with a device may mean something elsewhere.
            var isOfDevices = Changes(_pending).TrueForAll(SelfEscalation.IsOfDevice);
            foreach (var step in _pending.ToList())
            {
                if (planner.Overreach(isOfDevices ? after : With([step]), step.Changes) is not { } forbidden) continue;
                _refused.Add(step.Index, forbidden);
                _pending.Remove(step);
            }

            after = With(_pending);
        }

        foreach (var change in Changes(_pending)) Note(change);
        _pending.Clear();
        (_now, _authority) = (after, null);
    }

    private PolicySnapshot With(List<(int Index, IReadOnlyList<RowChange> Changes)> steps) => _now.With(Changes(steps));

    private static List<RowChange> Changes(List<(int Index, IReadOnlyList<RowChange> Changes)> steps) => [.. steps.SelectMany(step => step.Changes)];

    /// <summary>A row that is changed twice changes once: from what it was first to what it is last.</summary>
    private void Note(RowChange change)
    {
        if (_whole.TryGetValue(change.Key, out var earlier))
        {
            _whole[change.Key] = new(earlier.Before, change.After);
            return;
        }

        _order.Add(change.Key);
        _whole.Add(change.Key, change);
    }
}
