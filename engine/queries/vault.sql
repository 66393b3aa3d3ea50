-- The vault: persons, what is kept of them, and who read it. Every statement is one round trip.

-- name: find_or_insert_person
-- The person of a blind index, made when new; no row when another transaction made them meanwhile: ask again.
with found as (
    select person_id, wrapped_key, master_key_id from persons where blind_index = $2 for share
), made as (
    insert into persons (person_id, blind_index, wrapped_key, master_key_id)
    select $1, $2, $3, $4 where not exists (select from found)
    on conflict (blind_index) do nothing
    returning person_id, wrapped_key, master_key_id
)
select * from found union all select * from made;

-- name: find_person
-- The person of a blind index.
select person_id from persons where blind_index = $1;

-- name: open_person
-- The closed key of a person, held so that nobody erases them before the transaction ends.
select wrapped_key, master_key_id, erased_at from persons where person_id = $1 for share;

-- name: insert_items
-- Keep several items of one person, of this case ($6); of none where that is null.
insert into vault_items (item_id, person_id, kind, nonce, ciphertext, case_id)
select item_id, $1, kind, nonce, ciphertext, $6
from unnest($2::text[], $3::text[], $4::bytea[], $5::bytea[]) as new (item_id, kind, nonce, ciphertext);

-- name: read_items
-- Items with what opens them; every row that is given is recorded as read, erased ones too.
-- For a case only what was kept in it ($6: it, what it is a part of, and what is told on to it) or in a part of one ($7).
with wanted as (
    select item_id, person_id, kind, nonce, ciphertext, wrapped_key, master_key_id, erased_at
    from vault_items join persons using (person_id)
    where item_id = any($1::text[])
      and ($6::text[] is null
           or case_id = any($6)
           or exists (select from unnest($7::text[]) as whole where starts_with(case_id, whole || '.')))
), recorded as (
    insert into vault_reads (who, role, person_id, item_id, purpose, case_id)
    select $2, $3, person_id, item_id, $4, $5 from wanted
)
select * from wanted;

-- name: read_items_of_cases
-- Items of many cases ($1 of $2), each as it was kept in that very case; recorded as read for it.
with wanted as (
    select item_id, person_id, kind, nonce, ciphertext, wrapped_key, master_key_id, erased_at, asked.case_id
    from unnest($1::text[], $2::text[]) as asked (item_id, case_id)
    join vault_items using (item_id, case_id) join persons using (person_id)
), recorded as (
    insert into vault_reads (who, role, person_id, item_id, purpose, case_id)
    select $3, $4, person_id, item_id, $5, case_id from wanted
)
select * from wanted;

-- name: read_statement
-- What was stated of a person ($1, $2) with what opens it; recorded as read, erased or not.
with wanted as (
    select item_id, person_id, kind, nonce, ciphertext, wrapped_key, master_key_id, erased_at
    from vault_items join persons using (person_id)
    where item_id = $1 and person_id = $2 and kind = $3
), recorded as (
    insert into vault_reads (who, role, person_id, item_id, purpose, case_id)
    select $4, $5, person_id, item_id, $6, $7 from wanted
)
select * from wanted;

-- name: stated_at_start
-- What was stated of a person where a case started that does not remember it: what one transaction keeps has one time,
-- and the texts of its first entry were kept with it. A child goes by the case that it came of.
select item_id from vault_items
where person_id = $1 and kind = $2 and created_at = (
    select min(texts.created_at)
    from ledger_of(split_part($3, '.', 1)) as first, vault_items as texts,
         regexp_matches(first.body, '"(text:[0-9A-HJKMNP-TV-Z]{26})"', 'g') as named
    where first.seq = 1 and texts.item_id = named[1]
)
order by item_id
limit 1;

-- name: erase_person
-- Destroy a person's key and the way to find them; no row when there is no such person or they are erased already.
update persons
set wrapped_key = null, blind_index = null, erased_at = now(), erased_by = $2, erasure_basis = $3
where person_id = $1 and erased_at is null
returning erased_at;

-- name: empty_items_of_person
-- Take the closed texts too: without the key they are noise, but noise that a stolen copy of the key would open.
update vault_items set nonce = null, ciphertext = null where person_id = $1;
