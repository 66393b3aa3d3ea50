-- What other systems read of cases by Open311 (docs/open311.md): codes and times, never a text, a place or a person.

-- name: listed
-- Cases of published matters that began in a time, newest first; $1 and $2 are procedure and matter, pair by pair; $8 are procedures
-- and $9 stages at which nobody of the town has looked at a case yet.
select cases.case_id, procedure, category, stage, area, department, opened_at, closed_at, clocks, head.at as changed_at
from cases
join lateral ledger_of(cases.case_id) as head on head.seq = cases.seq and head.hash = cases.head_hash
where (procedure, category) in (select * from unnest($1::text[], $2::text[]))
  and opened_at >= $3 and opened_at < $4
  and (procedure, stage) not in (select * from unnest($8::text[], $9::text[]))
  and ($5::boolean is null or (closed_at is not null) = $5)
order by opened_at desc, cases.case_id desc
limit $6 offset $7;

-- name: named
-- Cases by their numbers: of published matters, and those that this caller reported; $4 are all procedures that are reported by,
-- $6 and $7 as $8 and $9 above.
select cases.case_id, procedure, category, stage, area, department, opened_at, closed_at, clocks, head.at as changed_at
from cases
join lateral ledger_of(cases.case_id) as head on head.seq = cases.seq and head.hash = cases.head_hash
where cases.case_id = any ($3::text[])
  and ((procedure, category) in (select * from unnest($1::text[], $2::text[]))
       and (procedure, stage) not in (select * from unnest($6::text[], $7::text[]))
       or procedure = any ($4::text[]) and snapshot -> 'opening' -> 'actor' ->> 'subject' = $5)
order by opened_at desc, cases.case_id desc;
