-- The privacy log: a chain of entries.

-- name: one_writer
-- The log is a chain: one writer at a time.
select pg_advisory_xact_lock(hashtextextended('privacy log', 0));

-- name: last_of_log
-- The head of the log.
select seq, hash from privacy_log order by seq desc limit 1;

-- name: insert_into_log
-- One entry more.
insert into privacy_log (seq, person_id, kind, body, prev_hash, hash) values ($1, $2, $3, $4, $5, $6);

-- name: log_entries
-- The log, of one person or whole.
select seq, kind, body, prev_hash, hash from privacy_log where $1::text is null or person_id = $1 order by seq;
