-- Webhooks: from the ledger to the receivers of other systems (docs/webhooks.md). Entries are queued by the ledger itself.

-- name: subscribe
-- The subscriptions of the policy, from now on; one that its receiver ended stays so until an operator says otherwise.
insert into webhook_subscriptions (subscription) select unnest($1::text[])
on conflict (subscription) do update set since = clock_timestamp(), ended_at = null, ended_by = null
where webhook_subscriptions.ended_by = 'policy';

-- name: unsubscribe
-- Those that stand in the policy no more.
update webhook_subscriptions set ended_at = clock_timestamp(), ended_by = 'policy'
where ended_at is null and subscription <> all ($1::text[]);

-- name: ended
-- Those of the policy to which nothing is sent.
select subscription from webhook_subscriptions where subscription = any ($1::text[]) and ended_at is not null;

-- name: look_at_entries
-- Take what is queued and no longer in doubt (as with notices, notices.sql). Told is only what stands in the chain of its case.
-- Who looks at the same time waits: skipping what another looks at, it would run ahead with later entries of the same case.
with taken as (
    select queued.entry_id
    from webhook_entries as queued
    join cases on cases.case_id = queued.case_id
    join lateral ledger_of(queued.case_id) as entry on entry.seq = queued.seq and entry.hash = queued.hash
    where entry.seq <= cases.seq
      and (queued.queued_at <= clock_timestamp() - $1::interval or cases.task_at > entry.task_at)
    order by queued.entry_id
    limit $2
    for update of queued
), looked_at as (
    delete from webhook_entries using taken where webhook_entries.entry_id = taken.entry_id
    returning webhook_entries.*
)
select looked_at.queued_at, entry.case_id, entry.seq, entry.kind, entry.at, cases.procedure, cases.stage, cases.area,
       cases.department, cases.labels, cases.opened_at, cases.closed_at, cases.seq as case_seq
from looked_at
join cases on cases.case_id = looked_at.case_id
join lateral ledger_of(looked_at.case_id) as entry on entry.seq = looked_at.seq and entry.hash = looked_at.hash
where not exists (select from ledger_of(entry.case_id) as beside
                  where beside.seq = entry.seq and beside.hash <> entry.hash)
   or exists (select from chain_of(entry.case_id) as chain where chain.seq = entry.seq and chain.hash = entry.hash)
order by looked_at.entry_id;

-- name: insert_delivery
-- One event for one subscription that began before its entry was written; told before, it changes nothing.
insert into webhook_deliveries (subscription, event_id, case_id, seq, kind, body)
select $1, $2, $3, $4, $5, $6
from webhook_subscriptions where subscription = $1 and ended_at is null and since <= $7
on conflict (subscription, event_id) do nothing;

-- name: claim
-- Take what is due for a subscription, of each case the first that waits, and write down that it is tried, before it is.
update webhook_deliveries
set attempts = attempts + 1, attempted_at = clock_timestamp(), next_at = clock_timestamp() + $3::interval
where delivery_id = any (array (
    select delivery_id
    from webhook_deliveries as due
    join webhook_subscriptions using (subscription)
    where due.subscription = $1 and due.status = 'waiting' and due.first_of_case and due.next_at <= clock_timestamp()
      and ended_at is null
      and due.seq = (select before.seq from webhook_deliveries as before
                     where before.subscription = $1 and before.case_id = due.case_id and before.status = 'waiting'
                     order by before.seq limit 1)
    order by due.next_at, due.delivery_id
    limit $2
    for update of due skip locked
))
returning *, clock_timestamp() - since as tried_for;

-- name: confirm
-- The receiver has it.
update webhook_deliveries set status = 'delivered', settled_at = clock_timestamp(), outcome = $2
where delivery_id = $1 and status = 'waiting';

-- name: postpone
-- The receiver did not take it: once more later, or never when it has been tried long enough.
update webhook_deliveries
set next_at = clock_timestamp() + $3::interval, outcome = $2,
    status = case when $4 then 'given_up' else status end,
    settled_at = case when $4 then clock_timestamp() end
where delivery_id = $1 and status = 'waiting';

-- name: end_subscription
-- The receiver is gone and says so: nothing more is sent to it.
update webhook_subscriptions set ended_at = clock_timestamp(), ended_by = 'receiver'
where subscription = $1 and ended_at is null;

-- name: give_up_ended
-- What waits for subscriptions that have ended.
update webhook_deliveries set status = 'given_up', settled_at = clock_timestamp()
where status = 'waiting'
  and subscription in (select subscription from webhook_subscriptions where ended_at is not null);

-- name: resume
-- Send to it again, from now on.
update webhook_subscriptions set since = clock_timestamp(), ended_at = null, ended_by = null
where subscription = $1 and ended_by = 'receiver';

-- name: again
-- What was given up, or one event that was delivered too, is sent again under the same id; the number of each.
update webhook_deliveries
set status = 'waiting', since = clock_timestamp(), next_at = clock_timestamp(), settled_at = null, attempts = 0
where subscription = $1 and (event_id = $2 or $2::text is null and status = 'given_up')
  and subscription in (select subscription from webhook_subscriptions where ended_at is null)
returning delivery_id;

-- name: standing
-- How each subscription stands: what waits, since when, and what was given up.
select subscription, since, ended_by,
       (select count(*) from webhook_deliveries as told
        where told.subscription = known.subscription and status = 'waiting')::integer as waiting,
       (select count(*) from webhook_deliveries as told
        where told.subscription = known.subscription and status = 'given_up')::integer as given_up,
       (select coalesce(extract(epoch from clock_timestamp() - min(told.since)), 0) from webhook_deliveries as told
        where told.subscription = known.subscription and status = 'waiting')::float8 as oldest_seconds
from webhook_subscriptions as known
order by subscription;

-- name: forget_old
-- What was delivered so long ago that nobody asks for it any more.
delete from webhook_deliveries where status = 'delivered' and settled_at < clock_timestamp() - $1::interval;

-- name: latest
-- The latest deliveries of a subscription, newest first; those of one kind of end, if it is named.
select * from webhook_deliveries
where subscription = $1 and ($2::text is null or status = $2)
order by delivery_id desc limit $3;
