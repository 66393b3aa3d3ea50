-- The partitions of the ledger, one for each month in which cases were opened (docs/decisions/0019-the-ledger-lies-in-months.md).

-- name: make_ahead
-- Parts for a month ($1: 202612) and so many after it ($2), as far as they are not there; how many were made.
select make_ledger_months($1, $2);

-- name: make_years_ahead
-- The same for the rest of a year ($1) and so many years after it ($2).
select make_ledger_years($1, $2);

-- name: make_readings_ahead
-- The same for the record of readings: this real month, and so many after it ($1).
select make_reading_months($1);

-- name: partitions
-- The partitions of the ledger with their bounds, as Postgres says them, and about how many entries each has.
select relname as partition, pg_get_expr(relpartbound, oid) as bounds, greatest(reltuples, 0)::bigint as entries,
       null::timestamptz as detached_at
from pg_inherits join pg_class on oid = inhrelid where inhparent = 'ledger'::regclass
union all
select partition, '', entries, detached_at from ledger_detached
order by partition;

-- name: detach
-- Take the partition of a month ($1) away, if all its cases are over, archived and kept long enough ($2: years by procedure; $3: town time); $4: by whom.
select word, cases, entries from detach_ledger_month($1, $2::jsonb, $3, $4);

-- name: real_now
-- What time it is, by the one clock that all processes share.
select clock_timestamp();

-- name: stands_apart
-- Whether anything lies in no month's partition: it came in a month that nobody had made.
select exists (select from ledger_other) or exists (select from vault_reads_other);
