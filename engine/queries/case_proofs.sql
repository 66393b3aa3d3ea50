-- What vouches for a case, at a glance.

-- name: sealed_until
-- The last entry of a case that a seal holds, and the number of the town's newest seal.
select coalesce((select max(place::integer) from sealed_leaves where case_id = $1 and kind = 'head'), 0) as sealed,
       (select max(number) from seals) as newest_seal,
       coalesce((select seq from cases where case_id = $1), 0) as entries;

-- name: kept_runs
-- The runs of a case in the archive, the oldest first.
select run_id, status, events, closed_at, archived_at from archive where case_id = $1
order by closed_at nulls last, archived_at;
