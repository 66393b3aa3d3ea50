-- Persons of the vault as such: who they are, where they stand, what was done with them.

-- name: hold_person
-- A person, held alone until the transaction ends; whoever keeps something of them has ended before.
select person_id, created_at, erased_at, erased_by, erasure_basis from persons where person_id = $1 for update;

-- name: cases_of_person
-- The cases in which a person stands, with what they hold; those of a lost workflow task too.
select person_cases.case_id, procedure, stage, opened_at, closed_at, ended, snapshot
from person_cases left join cases using (case_id)
where person_id = $1
order by opened_at, person_cases.case_id;

-- name: accounts_of_person
-- The accounts from which the cases came that are this person's own.
select distinct reporter_subject from person_cases join cases using (case_id)
where person_id = $1 and snapshot ->> 'reporter' = $1 and reporter_subject is not null;

-- name: on_the_way
-- What was accepted and names a person, and of which no case has told yet.
select submission, intake.case_id from intake
where (status = 'waiting'
       or kind = 'start' and status = 'delivered' and not exists (select from cases where cases.case_id = intake.case_id))
  and payload is not null
  and $1 in (select persons_in(payload::text));

-- name: items_of_person
-- All that is kept of a person: references and kinds.
select item_id, kind, created_at from vault_items where person_id = $1 order by created_at, item_id;

-- name: items_in_case
-- What of a person's items stands in a case: in its first state, in an entry, also where its month was taken away from the ledger and stands
-- beside it, or in what it remembers of them.
select item_id from vault_items
where person_id = $1
  and (exists (select from (select body from ledger_of($2) union all select body from detached_entries($2)) as entry
               where strpos(body, '"' || item_id || '"') > 0)
       or exists (select from cases where case_id = $2 and strpos(snapshot::text, '"' || item_id || '"') > 0));

-- name: entries_away
-- With which table the entries of a case went that are not in this database; null where they are.
select case when to_regclass(taken_away_with($1)) is null then taken_away_with($1) end;

-- name: documents_of_person
-- A person's documents, and the cases in which they stand.
select document_id, sha256, size_bytes, media_type, received_at, stored_at, cleared_at,
       array(select case_id from document_cases where document_cases.document_id = documents.document_id order by 1) as cases
from documents where person_id = $1 order by received_at, document_id;

-- name: readings_of_person
-- Who read what of a person, when, in which case, with which purpose.
select at, who, role, item_id, purpose, case_id from vault_reads where person_id = $1 order by read_id;

-- name: note_erasing
-- What an erasing takes counts as read: it stands in the same record.
insert into vault_reads (who, role, person_id, item_id, purpose)
select $2, $3, person_id, item_id, 'privacy-erase' from vault_items where person_id = $1;

-- name: due
-- Persons whose every case has ended, and for each of them its time of keeping; those in no case, after a time of their own.
with kept (procedure, years) as (select * from unnest($1::text[], $2::integer[]))
select persons.person_id,
       coalesce(max(coalesce(cases.closed_at, cases.updated_at) + make_interval(years => kept.years)),
                persons.created_at + make_interval(days => $4)) as due_since,
       array_remove(array_agg(person_cases.case_id order by person_cases.case_id), null) as cases
from persons
left join person_cases using (person_id)
left join cases using (case_id)
left join kept using (procedure)
where persons.erased_at is null
group by persons.person_id
having (bool_and(person_cases.case_id is null) and persons.created_at + make_interval(days => $4) <= now())
    or (bool_and(coalesce(cases.ended and kept.years is not null, false))
        and max(coalesce(cases.closed_at, cases.updated_at) + make_interval(years => kept.years)) <= $3)
order by due_since, persons.person_id
limit $5;
