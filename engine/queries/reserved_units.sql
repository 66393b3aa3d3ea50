-- Units and shares that cases reserve while they run (engine/migrations/20261203000040_reserved_units.sql).

-- name: lock
-- Wait for whoever asks for this key; nobody else gets it until the transaction ends.
select lock_reservations($1, $2);

-- name: still_lives
-- Whether a case lives; held so that it does not end before the transaction does.
select not (ended or closed_at is not null) from cases where case_id = $1 for share;

-- name: units
-- Who holds or has spent a key, and what stands for this purpose of this case, whatever came of it.
select case_id, key, purpose, amount, of_limit as limit,
       case when released_at is not null then 'released' when spent_at is not null then 'spent' else 'held' end as standing
from reservations
where (kind = $1 and key = $2 and released_at is null) or (case_id = $3 and kind = $1 and purpose = $4)
order by place;

-- name: hold_unit
-- Hold a unit or a share for a purpose of a case. True: it is held; nothing: somebody else wrote of this purpose meanwhile.
insert into reservations (kind, key, case_id, purpose, hold, amount, of_limit)
values ($1, $2, $3, $4, case when $5::bigint is null then 'unit' else 'share' end, $5, $6)
on conflict (case_id, kind, purpose) where purpose <> '' do nothing
returning true;

-- name: release_unit
-- Give up what a purpose of a case holds; what it has spent stays spent. True: there is a row of it.
update reservations set released_at = coalesce(released_at, clock_timestamp())
where case_id = $1 and kind = $2 and purpose = $3 and spent_at is null
returning true;

-- name: never_unit
-- A purpose that was given up before anything was reserved for it: an asking that comes late finds it given up.
insert into reservations (kind, key, case_id, purpose, hold, released_at)
values ($1, 'given-up', $2, $3, 'unit', clock_timestamp())
on conflict do nothing;

-- name: units_of_case
-- What the table has of the units of a case, in the order of asking.
select kind, purpose, amount,
       case when released_at is not null then 'released' when spent_at is not null then 'spent' else 'held' end as standing
from reservations where case_id = $1 and purpose <> '' order by place;

-- name: cases_with_units
-- The cases that have reserved units, those too that stand nowhere else.
select distinct case_id from reservations where purpose <> '' order by case_id;

-- name: units_over_limit
-- Keys of which more is held and spent than by the highest limit that any of its cases goes by.
select kind, key, sum(amount)::bigint as used, max(of_limit) as limit
from reservations where hold = 'share' and released_at is null
group by kind, key having sum(amount) > max(of_limit)
order by kind, key;
