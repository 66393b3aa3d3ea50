-- What an operator watches (docs/operations.md).

-- name: figures
-- Open cases, those late by the town's time, the outside work and the notice that have waited longest, in seconds;
-- entries of the ledger that lie in no month's partition, counted to ten thousand.
select
    (select count(*) from cases where not ended)::integer as open_cases,
    (select count(*) from cases where not ended and due_at < $1)::integer as overdue_cases,
    (select coalesce(extract(epoch from clock_timestamp() - min(updated_at)), 0) from cases
     where not ended and jsonb_array_length(coalesce(snapshot -> 'errands', '[]')) > 0)::float8 as outside_work_seconds,
    (select coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0) from outbox
     where delivered_at is null)::float8 as notices_seconds,
    (select count(*) from (select from ledger_other limit 10000) as apart)::integer as in_no_month;
