-- Who read what of persons, and who was refused what: for auditors, the newest first. $1 is the area, $2 where the page begins.

-- name: readings
-- Readings, narrowed by person, reader, case, purpose and time.
select read_id as number, at, who, role, person_id as person, item_id as reference, purpose, case_id
from vault_reads
where ($2::bigint is null or read_id < $2)
  and ($3::text is null or who = $3)
  and ($4::text is null or case_id = $4)
  and ($5::timestamptz is null or at >= $5)
  and ($6::timestamptz is null or at < $6)
  and ($7::text is null or person_id = $7)
  and ($8::text is null or purpose = $8)
  and ($1::text is null
       or case_id in (select cases.case_id from cases where area = $1 or starts_with(area, $1 || '.')))
order by read_id desc limit $9;

-- name: refusals
-- Refusals, narrowed by who tried, case, code and time.
select refusal_id as number, at, subject as who, role, department, command, code, stage, case_id
from refusals
where ($2::bigint is null or refusal_id < $2)
  and ($3::text is null or subject = $3)
  and ($4::text is null or case_id = $4)
  and ($5::timestamptz is null or at >= $5)
  and ($6::timestamptz is null or at < $6)
  and ($7::text is null or code = $7)
  and ($1::text is null
       or case_id in (select cases.case_id from cases where area = $1 or starts_with(area, $1 || '.')))
order by refusal_id desc limit $8;
