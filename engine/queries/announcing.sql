-- Telling APIs of cases after they were written (engine/store/announcer.py).

-- name: announce
-- Each word is the number of a case and the hash of its head; the transaction ends with this statement and waits for no disk.
with at_once as materialized (select set_config('synchronous_commit', 'off', true))
select pg_notify('told', word) from at_once cross join unnest($1::text[]) as word;
