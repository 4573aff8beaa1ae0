using System.Text.Json;
using System.Text.Json.Serialization;

namespace Countersign.Agent.Commands;

/// <summary>What a starter of the agent needs to reach it.</summary>
/// <param name="Address">Address and port, such as <c>127.0.0.1:40022</c>.</param>
/// <param name="HostKey">Type and base64.</param>
internal sealed record ReadyFile(string Address, string HostKey)
{
    /// <summary>Appears whole: whoever waits for the file never reads half of it.</summary>
    public void Write(string path)
    {
        var beside = $"{path}.{Guid.NewGuid():N}";
        File.WriteAllBytes(beside, JsonSerializer.SerializeToUtf8Bytes(this, AgentJson.Default.ReadyFile));
        File.Move(beside, path, overwrite: true);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ReadyFile))]
internal sealed partial class AgentJson : JsonSerializerContext;
