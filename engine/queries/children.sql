-- Whose child a case is, by our own books.

-- name: parent_of
-- The case that started this one, as it told the ledger itself, under a stamp that was checked; none while it has told nothing.
select snapshot ->> 'parent' from cases where case_id = $1 and first_run_id is distinct from '';
