#!/usr/bin/env bash
# Runs the tests in one mode; results go to results/MODE in the working folder. Needs PostgreSQL's binaries.
#   run.sh plain|tenancy|ids|decoys [FILTER]      FILTER: of `dotnet test`; all tests without one, in chunks
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./settings.sh

mode=${1:?plain, tenancy, ids or decoys}
filter=${2:-}
[[ "$mode" =~ ^(plain|tenancy|ids|decoys)$ ]] || { echo "No mode '$mode': plain, tenancy, ids or decoys." >&2; exit 2; }

./prepare.sh
# Without the commit in it, or each commit would be a reason to compile all of it again.
dotnet build EFCore.PG.FunctionalTests.csproj --nologo -v quiet -p:IncludeSourceRevisionInInformationalVersion=false

initdb=$(command -v initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1 || true)
[[ -n "$initdb" ]] || { echo "No initdb on the PATH or in /usr/lib/postgresql: install PostgreSQL." >&2; exit 1; }
bin=$(dirname "$(realpath "$initdb")")
as_server() { if [[ $EUID == 0 ]]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi; }

# Not in the working folder: another user's server cannot look into every home.
cluster=$(mktemp -d)
stop() {
    as_server "$bin/pg_ctl" stop --silent --mode immediate --pgdata "$cluster/data" || true
    rm -rf "$cluster"
}
trap stop EXIT
if [[ $EUID == 0 ]]; then chown postgres "$cluster"; fi

port=$((RANDOM % 20000 + 20000))
as_server "$bin/initdb" --pgdata "$cluster/data" --username npgsql_tests --auth trust --encoding UTF8 --locale C.UTF-8 --no-sync >/dev/null
as_server tee -a "$cluster/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$cluster'
port = $port
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
max_connections = 300
max_locks_per_transaction = 256
spec.mode = $mode
CONF
as_server "$bin/pg_ctl" start --silent --wait --pgdata "$cluster/data" --log "$cluster/log"
if [[ "$mode" != plain ]]; then
    "$bin/psql" --quiet --no-psqlrc -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U npgsql_tests -d template1 -f tenancy.sql
    export SPEC_TENANCY=$mode
fi
export Test__Npgsql__DefaultConnection="Host=127.0.0.1;Port=$port;Username=npgsql_tests;Include Error Detail=true;SSL Mode=disable"

results="$folder/results/$mode"
run() { # name, filter
    echo "$(date +%T) $mode: $1"
    # A test run's exit code tells that tests failed, which is what compare.cs looks at; a run without results is an error there.
    timeout "${SPEC_TIME_LIMIT:-1800}" dotnet test "$folder/bin/EFCore.PG.FunctionalTests/Debug/net10.0/Npgsql.EntityFrameworkCore.PostgreSQL.FunctionalTests.dll" \
        --nologo --filter "$2" --logger "trx;LogFileName=$1.trx" --results-directory "$results" --blame-hang-timeout 10m --blame-hang-dump-type none \
        >"$results/$1.log" 2>&1 || true
    tail -n 1 "$results/$1.log"
}

if [[ -n "$filter" ]]; then
    results="$folder/results/$mode-filtered"
fi
rm -rf "$results"
mkdir -p "$results"
if [[ -n "$filter" ]]; then
    run filtered "$filter"
    exit
fi

name=FullyQualifiedName
run update "$name~.Update.|$name~.BulkUpdates.|$name~GraphUpdates"
run rest "$name!~.Query.&$name!~.Update.&$name!~.BulkUpdates.&$name!~GraphUpdates&$name!~.Migrations.&$name!~.Scaffolding.&$name!~.ModelBuilding."
run query "$name~.Query.&$name!~.Query.Northwind&$name!~.Query.Translations&$name!~.Query.Associations"
run translations "$name~.Query.Translations|$name~.Query.Associations"
run northwind "$name~.Query.Northwind"
run design "$name~.Migrations.|$name~.Scaffolding.|$name~.ModelBuilding."
