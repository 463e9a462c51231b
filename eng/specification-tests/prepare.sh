#!/usr/bin/env bash
# Gets the sources of the tests into the working folder, and edits them to call the hooks. Does nothing when they are there.
#   EFCORE_SOURCES, EFCORE_PG_SOURCES   folders to copy them from, in place of a clone
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./settings.sh

get() { # folder, repository, tag, folder to copy from, paths...
    local into="$folder/$1" repository=$2 tag=$3 from=$4
    shift 4
    [[ -e "$into.ready" ]] && return
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
    grep -qE "$2" "$1" || { echo "$1 has no '$2' to edit." >&2; exit 1; }
    sed -i -E "s|$2|$3|" "$1"
}

mkdir -p "$folder"

ef="$folder/efcore"
if [[ ! -e "$ef.ready" ]]; then
    get efcore https://github.com/dotnet/efcore.git "$efcore_tag" "${EFCORE_SOURCES:-}" \
        src/Shared test/EFCore.Specification.Tests test/EFCore.Relational.Specification.Tests

    # SQL texts are not compared: with tenancy every one of them has the tenant, and without it a test that fails for its text alone, as some do
    # with a newer EF, would tell nothing.
    edit "$ef/test/EFCore.Relational.Specification.Tests/TestUtilities/TestSqlLoggerFactory.cs" \
        '_proceduralQueryGeneration = false' '_proceduralQueryGeneration = true'
    touch "$ef.ready"
fi

pg="$folder/efcore.pg"
if [[ ! -e "$pg.ready" ]]; then
    get efcore.pg https://github.com/npgsql/efcore.pg.git "$efcore_pg_tag" "${EFCORE_PG_SOURCES:-}" \
        Npgsql.snk test/EFCore.PG.FunctionalTests

    tests="$pg/test/EFCore.PG.FunctionalTests"
    utilities="$tests/TestUtilities"

    # Options and services of all fixtures; those of interceptors and of concurrency make theirs themselves.
    edit "$utilities/NpgsqlTestStore.cs" 'builder\.UseNpgsql\((\w+), npgsqlOptionsBuilder\)' 'builder.UseNpgsql(\1, npgsqlOptionsBuilder).UseSpecificationTenancy()'
    for file in "$utilities/NpgsqlTestStoreFactory.cs" "$tests"/*Interception*.cs; do
        [[ "$file" == *Materialization* ]] || edit "$file" 'AddEntityFrameworkNpgsql\(\)' '&.AddSpecificationTenancy()'
    done
    edit "$tests/F1NpgsqlFixture.cs" 'NpgsqlTestHelpers\.Instance' 'TenancyTestHelpers.Instance'

    # Tables, SQL and generated code that EF has no part in.
    edit "$utilities/NpgsqlTestStore.cs" '^( +)ExecuteScript\(_scriptPath\);' '&\n\1SpecificationTenancy.AddTenantColumns(Connection);'
    edit "$tests/TestModels/Northwind/NorthwindNpgsqlContext.cs" 'Entity<CustomerQuery>\(\)\.ToSqlQuery\(' 'Entity<CustomerQuery>().ToSqlQueryWithTenant('
    edit "$utilities/NpgsqlPrecompiledQueryTestHelpers.cs" 'typeof\(NpgsqlConnection\)\.Assembly\.Location\);' '&\n        yield return MetadataReference.CreateFromFile(SpecificationTenancy.Assembly);'
    touch "$pg.ready"
fi
