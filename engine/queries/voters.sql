-- Votes that everybody sees, and who may take a ballot in one.

-- name: shown
-- The cases of the procedures $1, each at one of its stages $2: those that are open, and those that closed after $3; the newest first.
select cases.case_id, cases.snapshot, cases.procedure
from unnest($1::text[], $2::text[]) as vote (procedure, stage)
join cases on cases.procedure = vote.procedure and cases.stage = vote.stage
where not cases.ended or cases.closed_at > $3
order by cases.opened_at desc, cases.case_id desc
limit 500;

-- name: forget
-- Forget who may take a ballot in a vote.
delete from voters where case_id = $1;

-- name: keep
-- Keep who may: a unit and a person a line.
insert into voters (case_id, unit, person) select $1, unit, person from unnest($2::text[], $3::bytea[]) as line (unit, person)
on conflict do nothing;

-- name: units_of
-- The units of a vote for which any of these may take the ballot.
select distinct unit from voters where case_id = $1 and person = any($2::bytea[]) order by unit;
