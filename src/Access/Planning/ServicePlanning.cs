namespace Countersign.Access;

/// <summary>The services that a device is to have, from those that it has and what is wished for. What is wrong with a wish is told beside it.</summary>
internal static class ServicePlanning
{
    /// <summary>All that the device is to have.</summary>
    /// <param name="before">Those that it has; none where it is new.</param>
    /// <param name="field">Where the wishes stand.</param>
    public static PlanResult? Read(
        DeviceId device, IReadOnlyList<DeviceServiceRow> before, IReadOnlyList<ServiceWish>? wishes, out IReadOnlyList<DeviceServiceRow> services, string field = "services")
    {
        services = [];
        if (wishes is null || wishes.Count > ServiceProtocols.All.Count) return Fields.Invalid(field, "A device has at most one service of each protocol.");
        var read = new List<DeviceServiceRow>(wishes.Count);
        var wrong = new List<PlanResult?>();
        foreach (var (index, wish) in wishes.Index())
        {
            var place = $"{field}[{index}]";
            if (wish is null || !Enum.IsDefined(wish.Protocol))
            {
                wrong.Add(Fields.Invalid($"{place}.protocol", $"It is one of {string.Join(", ", ServiceProtocols.All.Select(ServiceProtocols.Word))}."));
                continue;
            }

            if (read.Exists(other => other.Protocol == wish.Protocol)) wrong.Add(Fields.Invalid($"{place}.protocol", $"There is a service by {ServiceProtocols.Word(wish.Protocol)} already."));
            var there = before.FirstOrDefault(row => row.Protocol == wish.Protocol);
            var port = wish.Port ?? there?.Port ?? ServiceProtocols.UsualPort(wish.Protocol);
            wrong.Add(Fields.Port(port, $"{place}.port"));
            wrong.Add(Pin(wish, there?.Pin ?? "", place, out var pin));
            read.Add(new(device, wish.Protocol, port, pin));
        }

        services = read;
        return Fields.All([.. wrong]);
    }

    /// <summary>Those that an edited device is to have; null: as they are.</summary>
    public static PlanResult? Read(DeviceNode device, PolicyCommand.EditDevice command, out IReadOnlyList<DeviceServiceRow>? services)
    {
        services = null;
        if (command.Services is null && command.PutServices.Count + command.RemovedServices.Count == 0) return null;
        IReadOnlyList<DeviceServiceRow> whole = device.Services;
        if (command.Services is not null && Read(device.Id, device.Services, command.Services, out whole) is { } wrong) return wrong;
        if (Read(device.Id, device.Services, command.PutServices, out var put) is { } wrongPut) return wrongPut;
        services = [.. whole.Where(row => put.All(other => other.Protocol != row.Protocol)).Concat(put).Where(row => !command.RemovedServices.Contains(row.Protocol))];
        return null;
    }

    private static PlanResult? Pin(ServiceWish wish, string pinned, string place, out string pin)
    {
        pin = pinned;
        var kind = ServiceProtocols.PinOf(wish.Protocol);
        if (wish.HostKey is not null && kind != ServicePin.HostKey) return Fields.Invalid($"{place}.hostKey", "Only a service by ssh has a host key.");
        if (wish.Certificate is not null && kind != ServicePin.Certificate) return Fields.Invalid($"{place}.certificate", "Only services by rdp and https have a certificate.");
        if ((kind == ServicePin.HostKey ? wish.HostKey : wish.Certificate) is not { } given) return null;
        if (ServiceProtocols.TryPin(wish.Protocol, given, out var canonical, out var problem))
        {
            pin = canonical;
            return null;
        }

        return Fields.Invalid($"{place}.{(kind == ServicePin.HostKey ? "hostKey" : "certificate")}", problem);
    }
}
