#!/bin/sh
# Bring Temporal's two databases to the schema of this version. Can be run again: what is there stays.
set -eu
SQL_PASSWORD="$(cat /run/secrets/temporal_database_password)"
export SQL_PASSWORD

for part in temporal visibility; do
  database=temporal
  [ "$part" = visibility ] && database=temporal_visibility
  tool="temporal-sql-tool --plugin postgres12_pgx --endpoint $SQL_HOST --port 5432 --user $SQL_USER --database $database"
  # On a database that has its version table this step may complain; whether all is well is for the next one to say.
  $tool setup-schema --version 0.0 || echo "$database: the version table is there already"
  $tool update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$part/versioned"
done
