#!/usr/bin/env bash
# Fuzzes one target: fuzz/run.sh TARGET [--cases N] [--seed S] [--first K]. Prints cases per second and what was found; docs/fuzzing.md says more.
# fuzz/run.sh replay FILE plays a case that was kept; fuzz/run.sh capture fuzz/Corpus makes the corpus anew.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
dotnet build fuzz/Fuzz -c Release --nologo -v quiet -clp:NoSummary
exec dotnet artifacts/bin/Fuzz/release/Countersign.Fuzz.dll "$@"
