#!/usr/bin/env bash
# Runs one benchmark: bench/run.sh NAME [--json FILE]. Prints a table; writes an array of {name, value, unit, goal, met, peers, ratio}.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
dotnet build bench/Bench -c Release --nologo -v quiet -clp:NoSummary
exec dotnet artifacts/bin/Bench/release/Countersign.Bench.dll "$@"
