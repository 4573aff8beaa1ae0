namespace Countersign.Access;

/// <summary>The value of a setting that counts at a node, and the node that it comes from.</summary>
/// <param name="Value">In the canonical form of its kind: see <see cref="Settings"/>.</param>
public readonly record struct EffectiveSetting(SettingKind Setting, string Value, SettingNode Source);
