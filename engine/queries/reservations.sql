-- What living cases hold (engine/migrations/20261128000020_reservations.sql). Each runs in the transaction of who asks.

-- name: lock
-- Wait for whoever asked for one of these keys before; nobody else gets them until the transaction ends.
select lock_reservations($1, $2);

-- name: still_lives
-- Whether a case lives, or does not stand yet; held so that it does not end before the transaction does.
select not (ended or closed_at is not null) from cases where case_id = $1 for share;

-- name: standing
-- Who stands on these keys.
select case_id, key, hold, place from reservations
where kind = $1 and key = any($2::text[]) and released_at is null
order by place;

-- name: reserve
-- Hold keys for a case; again, it changes nothing but a hold that has grown firmer.
insert into reservations (kind, key, case_id, hold)
select $1, key, $2, hold from unnest($3::text[], $4::text[]) as claim (key, hold)
on conflict (kind, key, case_id, purpose) do update set hold = excluded.hold
    where reservations.hold <> excluded.hold and not (reservations.hold = 'counted' and excluded.hold = 'named')
        and not (reservations.hold = 'own' and excluded.hold = 'stated');

-- name: complete
-- What living cases from before hold of the pairs that exclude their benefit: as firmly as the benefit itself. Of two that
-- would have it for themselves the earlier one has; the other meets it when it is decided next.
insert into reservations (kind, key, case_id, hold)
select kind, pair || '/' || person, case_id,
       case when hold = 'own' and (
           row_number() over (partition by pair, person, hold order by place) > 1
           or exists (
               select from reservations as other
               where other.kind = held.kind and other.key = held.pair || '/' || held.person and other.hold = 'own'
                   and other.released_at is null and other.case_id <> held.case_id
           )
       ) then 'named' else hold end
from (
    select kind, case_id, hold, place, split_part(key, '/', 2) as person, pair
    from reservations
    join unnest($2::text[], $3::text[]) as excluding (benefit, pair) on excluding.benefit = split_part(key, '/', 1)
    where kind = $1 and released_at is null and split_part(key, '/', 3) = ''
) as held
where not exists (
    select from reservations as own
    where own.kind = held.kind and own.key = held.pair || '/' || held.person and own.case_id = held.case_id
)
order by place
on conflict do nothing;

-- name: sights
-- Who sees these cases, also those that were accepted and do not stand yet.
select case_id, area, reporter_subject, involved from cases where case_id = any($1::text[])
union all
select case_id, payload ->> 'area', payload ->> 'reporter_subject', '{}'::text[] from intake
where kind = 'start' and case_id = any($1::text[])
  and not exists (select from cases where cases.case_id = intake.case_id);

-- name: owed
-- The living cases of a procedure by which one of these people owes something of a benefit, but those of one case.
select case_id from cases
where procedure = $1 and not ended and snapshot ->> 'benefit' = $2 and snapshot ->> 'reporter' = any($3::text[])
    and split_part(case_id, '.', 1) <> $4
order by case_id;
