-- What living cases have of each other, for staff (engine/migrations/20261129000030_likenesses.sql).

-- name: keep
-- What a new case states of its people.
insert into likenesses (digest, person, case_id)
select digest, person, $1 from unnest($2::bytea[], $3::text[]) as stated (digest, person)
on conflict do nothing;

-- name: same_person
-- The living cases in which somebody says of the same benefit that it is theirs, and is the same person; $2: the keys of a
-- case that holds none yet.
select distinct case_id from reservations
where kind = 'benefit' and case_id <> $1 and hold in ('own', 'stated') and released_at is null
    and key = any (
        select unnest($2::text[])
        union all
        select key from reservations where case_id = $1 and hold in ('own', 'stated') and released_at is null
    )
order by case_id;

-- name: possibly_same
-- The living cases, accepted or standing, in which somebody has the same name and day of birth and is another person to us.
select distinct other.case_id
from likenesses as mine
join likenesses as other on other.digest = mine.digest and other.case_id <> mine.case_id
left join cases on cases.case_id = other.case_id
where mine.case_id = $1 and (cases.case_id is null or (not cases.ended and cases.closed_at is null))
    and not exists (
        select from likenesses as ours where ours.case_id = $1 and ours.person = other.person and ours.digest = other.digest
    )
order by other.case_id;

-- name: same_file
-- The living cases in which one of these files stands.
select distinct case_id
from unnest($2::text[]) as digest
join cases on snapshot -> 'documents' @> jsonb_build_array(jsonb_build_object('sha256', digest))
where procedure = 'welfare' and not ended and closed_at is null and case_id <> $1
order by case_id;

-- name: same_matter
-- The living cases of the same procedure and area in which all of these fields are as in this one.
select other.case_id
from cases as mine
join cases as other
    on other.procedure = mine.procedure and other.area collate "C" = mine.area and other.case_id <> mine.case_id
where mine.case_id = $1 and not other.ended and other.closed_at is null
    and not exists (
        select from unnest($2::text[]) as name where other.snapshot -> name is distinct from mine.snapshot -> name
    )
order by other.case_id;
