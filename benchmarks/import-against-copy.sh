#!/usr/bin/env bash
# Imports a file of flights through the sample, and the same rows through psql's \copy, in turn, each into fresh tables made by the
# sample's migrations, in one throw-away cluster. Prints rows per second of both (the COPY alone, without starting and migrating)
# and the peak memory of the import.
#
#   benchmarks/import-against-copy.sh FLIGHTS.csv.gz [ROUNDS]
set -euo pipefail

flights=$(realpath "$1")
rounds=${2:-3}
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dotnet build -c Release samples/WebApi >/dev/null
work=$(mktemp -d)
script=$work/create.sql
dotnet ef migrations script --project samples/WebApi --configuration Release --no-build -o "$script" >/dev/null

bin=$(dirname "$(command -v initdb || ls -d /usr/lib/postgresql/*/bin/initdb | tail -n 1)")
as_owner() { if [[ $(id -u) == 0 ]]; then runuser -u postgres -- "$@"; else "$@"; fi; }
[[ $(id -u) == 0 ]] && chown postgres "$work" && chmod 755 "$work"
export PGHOST=127.0.0.1 PGPORT=54399 PGUSER=postgres PGDATABASE=postgres PGOPTIONS="-c client_min_messages=warning"

# The settings of eng/DevPostgres.
as_owner "$bin/initdb" -D "$work/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >/dev/null
as_owner "$bin/pg_ctl" -D "$work/data" -w -l "$work/log" -o "-p $PGPORT -k $work -c listen_addresses=127.0.0.1 \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off" start >/dev/null
trap 'as_owner "$bin/pg_ctl" -D "$work/data" -m immediate stop >/dev/null; rm -rf "$work"' EXIT

database="Host=$PGHOST;Port=$PGPORT;Username=$PGUSER;Database=bench"

fresh() {
    dropdb --force --if-exists bench
    createdb bench
    psql -q -d bench -v ON_ERROR_STOP=1 -f "$script" >/dev/null
    # At its first start the sample adds the airports as tenants.
    ConnectionStrings__Default="$database" dotnet samples/WebApi/bin/Release/net10.0/WebApi.dll tenants list >/dev/null
    psql -qc checkpoint
}

import() {
    fresh
    ConnectionStrings__Default="$database" ASPNETCORE_URLS=http://127.0.0.1:0 \
        dotnet samples/WebApi/bin/Release/net10.0/WebApi.dll --flights "$flights" >"$work/app.log" 2>&1 &
    local app=$!
    until grep -q "Now listening" "$work/app.log" || ! kill -0 $app 2>/dev/null; do sleep 0.2; done
    peak=$(awk '/VmHWM/ { print int($2 / 1024) }' /proc/$app/status)
    kill -TERM $app
    wait $app || true
    sed -nE 's/.* ([0-9,]+) rows\/s.*/\1/p' "$work/app.log" | tr -d ,
}

copy() {
    fresh
    local ms rows
    ms=$(psql -d bench -c '\timing on' -c "\\copy \"Flights\" (\"FlownAt\", \"DelayMinutes\", \"DistanceMiles\", \"TenantId\", \"Destination\") from program 'gunzip -c $flights' csv header" \
        | sed -nE 's/^Time: ([0-9.]+) ms.*/\1/p')
    rows=$(psql -d bench -Atc 'SELECT count(*) FROM "Flights"')
    awk "BEGIN { print int($rows / $ms * 1000) }"
}

printf '%-6s %14s %14s %8s %10s\n' round 'import rows/s' '\copy rows/s' ratio 'peak MB'
for ((i = 1; i <= rounds; i++)); do
    peak=0
    import >"$work/import" # not in a subshell, for the peak
    c=$(copy)
    awk -v i="$i" -v a="$(cat "$work/import")" -v c="$c" -v p="$peak" \
        'BEGIN { printf "%-6s %14d %14d %8.2f %10d\n", i, a, c, a / c, p }'
done
