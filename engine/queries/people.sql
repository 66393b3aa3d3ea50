-- In which cases somebody stands, for staff who look for them by a number. Every case that is told is a reading on record.

-- name: cases_of_person
-- The newest cases of a person ($1) that somebody sees ($2, $3: area, department), each recorded as read by $4 in role $5 for
-- purpose $6 (none of procedures $8, which are confidential): by what was stated of the person there, else by another item of theirs. What is not recorded is not told.
with seen as (
    select cases.* from person_cases join cases using (case_id)
    where person_id = $1
      and procedure <> all($8::text[])
      and ($2::text is null or area = $2
           or (area collate "C" >= $2 || '.' and area collate "C" < $2 || '/'))
      and ($3::text[] is null or involved && $3::text[])
    order by opened_at desc, case_id desc
    limit $7
), recorded as (
    insert into vault_reads (who, role, person_id, item_id, purpose, case_id)
    select $4, $5, $1, item_id, $6, seen.case_id
    from seen cross join lateral (
        select item_id from vault_items as items
        where items.person_id = $1
        order by items.case_id is distinct from seen.case_id, kind <> 'person_details', item_id
        limit 1
    ) as stated
    returning case_id
)
select case_id, procedure, stage, holder, area, department, opened_at, closed_at, ended, due_at, due_clock, seq, labels
from seen where case_id in (select case_id from recorded)
order by opened_at desc, case_id desc;
