-- Documents: what is known of a file. The file itself is in the object store.

-- name: find_same
-- The same file of the same person, sent by the same account before.
select * from documents where person_id = $1 and uploader = $2 and file_digest = $3;

-- name: count_waiting
-- How many documents of an account stand in no case yet.
select count(*) from documents
where uploader = $1 and cleared_at is null
  and not exists (select from document_cases where document_cases.document_id = documents.document_id);

-- name: one_at_a_time
-- The same file sent twice at the same moment: the second waits until the first has its row.
select pg_advisory_xact_lock(hashtextextended('document ' || encode($1::bytea, 'hex'), 0));

-- name: one_count_at_a_time
-- Several files of one account at the same moment: each counts those before it.
select pg_advisory_xact_lock(hashtextextended('documents of ' || $1, 0));

-- name: insert_document
-- A document that is about to be stored.
insert into documents (document_id, person_id, uploader, file_digest, sha256, size_bytes, media_type)
values ($1, $2, $3, $4, $5, $6, $7)
returning *;

-- name: mark_stored
-- The file lies in the object store.
update documents set stored_at = clock_timestamp() where document_id = $1 and stored_at is null returning document_id;

-- name: find_documents
-- Documents by reference, as far as they are stored.
select * from documents where document_id = any($1::text[]) and stored_at is not null;

-- name: cases_of_document
-- The cases in whose chain a document stands, where it is declared; what a lost workflow task wrote beside the chain gives
-- nobody sight.
select case_id from document_cases
where document_id = $1
  and exists (select from chain_of(document_cases.case_id) as entry
              where strpos(entry.body, '"' || $1 || '"') > 0
                and $1 in (select named.reference from references_in(entry.kind, entry.body::jsonb -> 'facts') as named
                           where named.refers = 'document'))
order by case_id;

-- name: files_of_erased
-- Files in the object store whose person was erased: noise without their key, and still to be taken out.
select document_id from documents join persons using (person_id)
where erased_at is not null and cleared_at is null
order by document_id limit $1;

-- name: mark_cleared
-- The file was taken out of the object store.
update documents set cleared_at = clock_timestamp() where document_id = $1;
