-- What is over and answers nobody any more leaves the tables that only grow (audit/archive/settled.py).

-- name: end_submissions
-- Of the next so many rows ($2) the commands that came more than so many months ago ($1) and are settled; none where no row is that old.
-- Openings stay: their key is what keeps a report from becoming a second case. What departments reported stays: a restored town is
-- compared with their journals. Whatever waits or was laid aside stays.
with next as (
    select intake_id, received_at from intake
    where intake_id > coalesce((select up_to from settled_until where of_table = 'intake'), 0)
    order by intake_id limit $2
), old as (
    select intake_id from next where received_at < clock_timestamp() - make_interval(months => $1)
), ended as (
    delete from intake using old
    where intake.intake_id = old.intake_id and intake.kind = 'command' and intake.status in ('delivered', 'refused')
      and intake.subject not like 'department:%'
    returning intake.intake_id
)
insert into settled_until (of_table, up_to)
select 'intake', max(intake_id) from old having count(*) > 0
on conflict (of_table) do update set up_to = excluded.up_to
returning (select count(*) from ended)::integer as ended;

-- name: end_notices
-- The same of notices in the outbox whose channels have all come to an end; what was sent stands in `notice_deliveries` and stays.
-- One that was given up stays until somebody has looked at it: it may be sent again.
with next as (
    select notice_id, created_at from outbox
    where notice_id > coalesce((select up_to from settled_until where of_table = 'outbox'), 0)
    order by notice_id limit $2
), old as (
    select notice_id from next where created_at < clock_timestamp() - make_interval(months => $1)
), ended as (
    delete from outbox using old
    where outbox.notice_id = old.notice_id and outbox.delivered_at is not null
      and not exists (
          select from notice_deliveries as told
          where told.case_id = outbox.case_id and told.seq = outbox.seq and told.position = outbox.position
            and (told.status = 'waiting' or told.status = 'given_up' and told.looked_at is null)
      )
    returning outbox.notice_id
)
insert into settled_until (of_table, up_to)
select 'outbox', max(notice_id) from old having count(*) > 0
on conflict (of_table) do update set up_to = excluded.up_to
returning (select count(*) from ended)::integer as ended;
