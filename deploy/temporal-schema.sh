#!/bin/sh
# Bring Temporal's two databases to the schema of this version. Can be run again: what is there stays.
set -eu
SQL_PASSWORD="$(cat "$PASSWORD_FILE")"
export SQL_PASSWORD

for part in temporal visibility; do
  database=temporal
  [ "$part" = visibility ] && database=temporal_visibility
  tool="temporal-sql-tool --plugin postgres12_pgx --endpoint $SQL_HOST --port $SQL_PORT --user $SQL_USER --database $database"
  # A database that has its version table already says so here, and that is no fault; any other is.
  said="$($tool setup-schema --version 0.0 2>&1)" || case "$said" in
    *"already exists"*) echo "$database: the version table is there already" ;;
    *) echo "$said" >&2; exit 1 ;;
  esac
  $tool update-schema --schema-name "postgresql/v12/$part"
done
