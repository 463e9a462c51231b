#!/usr/bin/env bash
# Lists the tests that fail in one mode and not in the one before it. Exit code 1: there are failures that nobody expected.
#   compare.sh tenancy     against plain, expected.txt
#   compare.sh ids         against plain, expected-ids.txt
#   compare.sh decoys      against tenancy, expected-decoys.txt
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./settings.sh

case "${1:?tenancy, ids or decoys}" in
    tenancy) dotnet run --file compare.cs "$folder/results" plain tenancy expected.txt ;;
    ids) dotnet run --file compare.cs "$folder/results" plain ids expected-ids.txt ;;
    decoys) dotnet run --file compare.cs "$folder/results" tenancy decoys expected-decoys.txt ;;
    *) echo "No mode '$1' to compare: tenancy, ids or decoys." >&2; exit 2 ;;
esac
