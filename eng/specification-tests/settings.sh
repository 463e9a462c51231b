# What the scripts share.
root=$(cd ../.. && pwd)
folder=$(realpath -m "${EFTENANCY_SPECIFICATION_TESTS:-$root/artifacts/specification-tests}")
efcore_tag=v10.0.11
efcore_pg_tag=v10.0.0
