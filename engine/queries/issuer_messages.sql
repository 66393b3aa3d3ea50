-- Messages of those who issue warnings: to which case each went, for ever (starter/warning_feed.py).

-- name: wait_for_turn
-- One message of an issuer at a time, until this transaction ends: an alert and its cancel may come together.
select pg_advisory_xact_lock(hashtextextended('issuer ' || $1, 0));

-- name: of_messages
-- What is known of these numbers, in every area.
select identifier, area, case_id, heard, cancelled_at from issuer_messages where issuer = $1 and identifier = any($2::text[])
order by area;

-- name: remember
-- A message that has come, and the case that it is of.
insert into issuer_messages (issuer, identifier, area, case_id, heard, sent) values ($1, $2, $3, $4, true, $5)
on conflict (issuer, identifier, area) do update
set heard = true, sent = excluded.sent, case_id = coalesce(excluded.case_id, issuer_messages.case_id);

-- name: refer
-- A message that another one refers to: its case is this one, and when that was sent if it calls it off.
insert into issuer_messages (issuer, identifier, area, case_id, heard, cancelled_at) values ($1, $2, $3, $4, false, $5)
on conflict (issuer, identifier, area) do update
set case_id = coalesce(excluded.case_id, issuer_messages.case_id), cancelled_at = greatest(excluded.cancelled_at, issuer_messages.cancelled_at);
