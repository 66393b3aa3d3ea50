-- Notices that a channel does not take: for operators.

-- name: undelivered
-- Those given up that nobody has looked at since, and those that wait after several attempts; the newest first.
select delivery_id as number, case_id, channel, recipient, template, status, attempts, attempted_at, next_at
from notice_deliveries
where (status = 'given_up' and looked_at is null) or (status = 'waiting' and attempts >= $1)
order by delivery_id desc
limit $2;

-- name: notice_case
-- The case of a notice that was given up and that nobody has looked at since.
select case_id from notice_deliveries where delivery_id = $1 and status = 'given_up' and looked_at is null;

-- name: send_again
-- Have one that was given up tried anew, from the first attempt; no row: it was not, or somebody has looked at it.
update notice_deliveries set status = 'waiting', attempts = 0, next_at = clock_timestamp(), settled_at = null
where delivery_id = $1 and status = 'given_up' and looked_at is null
returning case_id;

-- name: look_at
-- Note that somebody has looked at one that was given up.
update notice_deliveries set looked_at = clock_timestamp()
where delivery_id = $1 and status = 'given_up' and looked_at is null
returning case_id;
