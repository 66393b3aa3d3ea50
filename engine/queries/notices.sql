-- Notices: from the outbox to the channels. The outbox itself is written by the ledger (ledger.sql).

-- name: look_at_outbox
-- One process at a time puts notices before their channels: two would put later ones of a case before earlier ones. Whether it is our turn.
select pg_try_advisory_xact_lock(hashtextextended('notices from the outbox', 0));

-- name: ready_notices
-- What may be told: its entry stands in the chain, and the workflow task that wrote it is no longer in doubt.
-- An entry without another beside it stands in the chain, as far as that reaches; only else is the chain walked.
select outbox.*, cases.department, entry.at
from outbox
join cases using (case_id)
join lateral ledger_of(outbox.case_id) as entry on entry.seq = outbox.seq and entry.seq <= cases.seq
where outbox.delivered_at is null
  and (not exists (select from ledger_of(entry.case_id) as beside
                   where beside.seq = entry.seq and beside.hash <> entry.hash)
       or exists (select from chain_of(outbox.case_id) as chain
                  where chain.seq = entry.seq and chain.hash = entry.hash))
  and (outbox.created_at <= clock_timestamp() - $1::interval or cases.task_at > entry.task_at)
  and not exists (
      select from notice_deliveries as told
      where told.case_id = outbox.case_id and told.seq = outbox.seq and told.position = outbox.position
        and told.content = md5(outbox.recipient || ' ' || outbox.template || ' ' || outbox.facts::text)
        and told.status <> 'forgotten'
  )
order by outbox.notice_id
limit $2
for update of outbox skip locked;

-- name: insert_delivery
-- One notice for one channel; told before, it changes nothing; forgotten, it waits again. `shown` is delivered by standing here.
insert into notice_deliveries (case_id, seq, position, content, channel, recipient, account, template, text, at,
                               status, settled_at)
select case_id, seq, position, md5(recipient || ' ' || template || ' ' || facts::text), $2, recipient, $3, template, $4, $5,
       case when $2 = 'shown' then 'delivered' else 'waiting' end, case when $2 = 'shown' then clock_timestamp() end
from outbox where notice_id = $1
on conflict (case_id, seq, position, content, channel) do update
set status = excluded.status, settled_at = excluded.settled_at, next_at = clock_timestamp()
where notice_deliveries.status = 'forgotten';

-- name: settle_outbox
-- A notice whose channels have all come to an end is delivered; it waits no longer.
update outbox set delivered_at = clock_timestamp()
where delivered_at is null
  and exists (
      select from notice_deliveries as told
      where told.case_id = outbox.case_id and told.seq = outbox.seq and told.position = outbox.position
        and told.content = md5(outbox.recipient || ' ' || outbox.template || ' ' || outbox.facts::text)
  )
  and not exists (
      select from notice_deliveries as told
      where told.case_id = outbox.case_id and told.seq = outbox.seq and told.position = outbox.position
        and told.content = md5(outbox.recipient || ' ' || outbox.template || ' ' || outbox.facts::text)
        and told.status = 'waiting'
  );

-- name: forget_lost
-- What waits for a channel and has gone from the outbox: a lost workflow task had written it.
update notice_deliveries as waiting set status = 'forgotten', settled_at = clock_timestamp()
where status = 'waiting' and channel = $1
  and not exists (
      select from outbox
      where outbox.case_id = waiting.case_id and outbox.seq = waiting.seq and outbox.position = waiting.position
        and waiting.content = md5(outbox.recipient || ' ' || outbox.template || ' ' || outbox.facts::text)
  );

-- name: attempt_next
-- Take the first that waits for a channel, and write down that it is tried; no row while the first is not due yet.
update notice_deliveries set attempts = attempts + 1, attempted_at = clock_timestamp(), next_at = clock_timestamp() + $2::interval
where delivery_id = (
    select delivery_id from notice_deliveries where channel = $1 and status = 'waiting' order by delivery_id limit 1
    for update
) and next_at <= clock_timestamp()
returning *;

-- name: confirm
-- The channel has it.
update notice_deliveries set status = 'delivered', settled_at = clock_timestamp()
where delivery_id = $1 and status = 'waiting';

-- name: postpone_delivery
-- The channel did not take it: once more later, or never when that was the last attempt.
update notice_deliveries
set next_at = clock_timestamp() + $2::interval,
    status = case when $3 then 'given_up' else status end,
    settled_at = case when $3 then clock_timestamp() end
where delivery_id = $1 and status = 'waiting';

-- name: notices_for
-- What somebody is shown, newest first: their own cases, their desk, their role in their area, their account wherever the case is.
-- $7: the procedures of which who works in a part of the case's area is told too.
select told.*
from notice_deliveries as told
join cases using (case_id)
where told.channel = 'shown'
  and ((told.recipient = 'reporter' and cases.snapshot ->> 'reporter_subject' = $1)
       or told.recipient = any($2::text[])
       or (told.account is not null and told.account = $3))
  and ($4::text is null or starts_with(cases.area || '.', $4 || '.') or told.account = $3
       or (cases.procedure = any($7::text[]) and starts_with($4 || '.', cases.area || '.')))
  and ($5::bigint is null or told.delivery_id < $5)
order by told.delivery_id desc
limit $6;

-- name: latest_notices
-- The latest deliveries of all channels, for the town's own screen.
select * from notice_deliveries where $2::text is null or case_id = $2 order by delivery_id desc limit $1;
