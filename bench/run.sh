#!/usr/bin/env bash
# Runs one benchmark: bench/run.sh NAME [--json FILE]. Prints a table; writes an array of {name, value, unit, goal, met, peers, ratio}.
# "access" needs Node and npm: the engines that it is compared with come from the npm registry, as bench/peers/package-lock.json has them.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
if [ "${1:-}" = access ]; then (cd bench/peers && npm ci --no-audit --no-fund --loglevel=error >/dev/null); fi
dotnet build bench/Bench -c Release --nologo -v quiet -clp:NoSummary
exec dotnet artifacts/bin/Bench/release/Countersign.Bench.dll "$@"
