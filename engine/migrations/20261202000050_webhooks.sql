-- migrate:up

-- Webhooks: other systems are told what happens in cases (docs/webhooks.md). Who is told what stands in policies/webhooks.yaml;
-- here stands since when, which entries are still to be looked at, and what became of each telling.
create table webhook_subscriptions (
    subscription  text primary key,                  -- its code in the policy
    since         timestamptz not null default clock_timestamp(),
    ended_at      timestamptz,                       -- nothing is sent to it, and nothing new is kept for it
    ended_by      text check (ended_by in ('receiver', 'policy')),
    check ((ended_at is null) = (ended_by is null))
);

-- Entries that nobody has looked at yet. In the transaction of the entry itself, so none is lost and none told that was not
-- written; only where somebody is to be told anything.
create table webhook_entries (
    entry_id   bigint generated always as identity primary key,
    case_id    text not null,
    seq        integer not null,
    hash       text not null,
    queued_at  timestamptz not null default clock_timestamp()
);

create function queue_for_webhooks() returns trigger language plpgsql as $$
begin
    if exists (select from webhook_subscriptions where ended_at is null) then
        insert into webhook_entries (case_id, seq, hash) select case_id, seq, hash from written order by case_id, seq;
    end if;
    return null;
end
$$;
create trigger ledger_queues_for_webhooks after insert on ledger
    referencing new table as written for each statement execute function queue_for_webhooks();

-- One event for one subscription, with the body that is sent each time. An entry that a lost workflow task told, and the case
-- tells anew, is the same event.
create table webhook_deliveries (
    delivery_id   bigint generated always as identity primary key,
    subscription  text not null references webhook_subscriptions,
    event_id      text not null,
    case_id       text not null,
    seq           integer not null,
    kind          text not null,
    body          text not null,                     -- codes, numbers and times, no personal data
    status        text not null default 'waiting' check (status in ('waiting', 'delivered', 'given_up')),
    attempts      integer not null default 0,
    since         timestamptz not null default clock_timestamp(),   -- from when on it is tried
    next_at       timestamptz not null default clock_timestamp(),
    attempted_at  timestamptz,
    settled_at    timestamptz,
    outcome       text,                              -- of the last attempt: http-503, timeout; a code of ours
    unique (subscription, event_id)
);
create index webhook_deliveries_due on webhook_deliveries (subscription, next_at) where status = 'waiting';
create index webhook_deliveries_of_case on webhook_deliveries (subscription, case_id, seq) where status = 'waiting';
create index webhook_deliveries_given_up on webhook_deliveries (subscription, delivery_id) where status = 'given_up';
create index webhook_deliveries_delivered on webhook_deliveries (settled_at) where status = 'delivered';

-- migrate:down

drop trigger ledger_queues_for_webhooks on ledger;
drop function queue_for_webhooks;
drop table webhook_deliveries, webhook_entries, webhook_subscriptions;
