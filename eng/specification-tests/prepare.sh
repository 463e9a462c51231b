#!/usr/bin/env bash
# Gets the sources of the tests into the working folder, and makes the edits in edits/. Does nothing when they are there.
#   EFCORE_SOURCES, EFCORE_PG_SOURCES   folders to copy them from, in place of a clone
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./settings.sh

get() { # folder, repository, tag, folder to copy from, paths...
    local into="$folder/$1" repository=$2 tag=$3 from=$4
    shift 4
    rm -rf "$into" "$folder/clone"
    if [[ -z "$from" ]]; then
        git clone --quiet --depth 1 --branch "$tag" "$repository" "$folder/clone"
        from="$folder/clone"
    fi
    for path in "$@"; do
        mkdir -p "$into/$(dirname "$path")"
        cp -r "$from/$path" "$into/$path"
    done
    rm -rf "$folder/clone"
}

edit() { # file, regular expression, replacement: an error where the file has nothing of it, so that no edit gets lost
    grep -qE -- "$2" "$1" || { echo "$1 has no '$2' to edit." >&2; exit 1; }
    sed -i -E $'s\1'"$2"$'\1'"$3"$'\1g' "$1"
}

[[ -e "$folder/sources.ready" ]] && exit
mkdir -p "$folder"

get efcore https://github.com/dotnet/efcore.git "$efcore_tag" "${EFCORE_SOURCES:-}" \
    src/Shared test/EFCore.Specification.Tests test/EFCore.Relational.Specification.Tests
get efcore.pg https://github.com/npgsql/efcore.pg.git "$efcore_pg_tag" "${EFCORE_PG_SOURCES:-}" \
    Npgsql.snk test/EFCore.PG.FunctionalTests

core="$folder/efcore/test/EFCore.Specification.Tests"
relational="$folder/efcore/test/EFCore.Relational.Specification.Tests"
npgsql="$folder/efcore.pg/test/EFCore.PG.FunctionalTests"
. edits/tenancy.sh
. edits/sql.sh
. edits/expectations.sh
touch "$folder/sources.ready"
