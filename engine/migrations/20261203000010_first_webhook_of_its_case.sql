-- migrate:up

-- Of each case the events go to a receiver one after the other, so what waits behind another needs no look: the first that waits
-- is marked. A receiver that is away for days let every event be looked at each second; now it is one probe of an index.
-- Never too few are marked: `claim` looks once more at those that are, so one too many costs a probe and sends nothing early.
alter table webhook_deliveries add column first_of_case boolean not null default false;

update webhook_deliveries as waiting set first_of_case = true
where status = 'waiting'
  and not exists (select from webhook_deliveries as before
                  where before.subscription = waiting.subscription and before.case_id = waiting.case_id
                    and before.status = 'waiting' and before.seq < waiting.seq);

drop index webhook_deliveries_due;
create index webhook_deliveries_due on webhook_deliveries (subscription, next_at)
    where status = 'waiting' and first_of_case;

-- Who begins to wait, and who ends it, do so one after the other: else the one would not see the end of what it waits behind, nor
-- the other what waits. The row of the subscription is what they queue at: it is one lock, however many cases there are.
create function webhook_begins_to_wait() returns trigger language plpgsql as $$
begin
    perform from webhook_subscriptions where subscription = new.subscription for no key update;
    new.first_of_case := not exists (
        select from webhook_deliveries as before
        where before.subscription = new.subscription and before.case_id = new.case_id
          and before.status = 'waiting' and before.seq < new.seq);
    return new;
end
$$;
create trigger webhook_is_queued before insert on webhook_deliveries
    for each row when (new.status = 'waiting') execute function webhook_begins_to_wait();
create trigger webhook_is_sent_again before update of status on webhook_deliveries
    for each row when (new.status = 'waiting' and old.status <> 'waiting') execute function webhook_begins_to_wait();

create function webhook_waits_no_more() returns trigger language plpgsql as $$
begin
    perform from webhook_subscriptions where subscription = new.subscription for no key update;
    update webhook_deliveries set first_of_case = true
    where delivery_id = (select delivery_id from webhook_deliveries as following
                         where following.subscription = new.subscription and following.case_id = new.case_id
                           and following.status = 'waiting'
                         order by following.seq limit 1)
      and not first_of_case;
    return null;
end
$$;
create trigger webhook_is_settled after update of status on webhook_deliveries
    for each row when (old.status = 'waiting' and new.status <> 'waiting') execute function webhook_waits_no_more();

-- migrate:down

drop trigger webhook_is_settled on webhook_deliveries;
drop trigger webhook_is_sent_again on webhook_deliveries;
drop trigger webhook_is_queued on webhook_deliveries;
drop function webhook_waits_no_more, webhook_begins_to_wait;
drop index webhook_deliveries_due;
alter table webhook_deliveries drop column first_of_case;
create index webhook_deliveries_due on webhook_deliveries (subscription, next_at) where status = 'waiting';
