-- migrate:up

-- A command with which the workflow task of its case fails, again and again, and without which it does not, is laid aside: what
-- waits behind it goes on. `failing_since`: since when a waiting one is suspected. `looked_at`: an operator has decided.
alter table intake drop constraint intake_status_check;
alter table intake add constraint intake_status_check check (status in ('waiting', 'delivered', 'refused', 'set_aside'));
alter table intake add column failing_since timestamptz;
alter table intake add column looked_at timestamptz;
create index intake_failing on intake (intake_id) where status = 'waiting' and failing_since is not null;
create index intake_set_aside on intake (intake_id) where status = 'set_aside';

-- migrate:down

drop index intake_set_aside, intake_failing;
update intake set status = 'waiting', answer = null, settled_at = null, leased_until = null where status = 'set_aside';
alter table intake drop column looked_at;
alter table intake drop column failing_since;
alter table intake drop constraint intake_status_check;
alter table intake add constraint intake_status_check check (status in ('waiting', 'delivered', 'refused'));
