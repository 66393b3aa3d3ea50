-- Who is signed in with a browser (console/sign_in/sessions.py). All times are real times.

-- name: open_session
-- Somebody has signed in; what ended a month ago is forgotten by the way. Arguments: digest, subject, role, department, area,
-- identity, id of the token, when it ends at the latest.
with swept as (delete from sessions where expires_at < clock_timestamp() - interval '30 days')
insert into sessions (digest, subject, role, department, area, identity, token_id, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: find_session
-- Who has a session that goes on, and that it was seen now. Arguments: digest, how long it may lie idle.
with found as (
    select * from sessions
    where digest = $1 and ended_at is null and expires_at > clock_timestamp() and seen_at > clock_timestamp() - $2::interval
), seen as (
    update sessions set seen_at = clock_timestamp()
    where digest = (select digest from found) and seen_at < clock_timestamp() - interval '1 minute'
)
select subject, role, department, area, identity, token_id, expires_at from found;

-- name: peek_session
-- The same for what a page asks by itself: it is not seen by that. Arguments: digest, how long it may lie idle.
select subject, role, department, area, identity, token_id, expires_at from sessions
where digest = $1 and ended_at is null and expires_at > clock_timestamp() and seen_at > clock_timestamp() - $2::interval;

-- name: whose_was
-- Whose session ran out within the last day without anybody's ending it. Arguments: digest, how long it may lie idle.
select subject from sessions
where digest = $1 and ended_at is null
    and least(expires_at, seen_at + $2::interval) between clock_timestamp() - interval '1 day' and clock_timestamp();

-- name: end_session
-- It ends. Arguments: digest, who ends it.
update sessions set ended_at = clock_timestamp(), ended_by = $2 where digest = $1 and ended_at is null;

-- name: end_sessions_of
-- All sessions of an account end. Arguments: subject, who ends them.
update sessions set ended_at = clock_timestamp(), ended_by = $2 where subject = $1 and ended_at is null;

-- name: living_sessions
-- Accounts that are signed in now, the last seen first. Argument: how long a session may lie idle.
select subject, role, department, area, count(*) as sessions, min(opened_at) as since, max(seen_at) as seen_at
from sessions
where ended_at is null and expires_at > clock_timestamp() and seen_at > clock_timestamp() - $1::interval
group by subject, role, department, area
order by max(seen_at) desc
limit 500;

-- name: keep_link
-- A link for one sign-in; those that nobody used in time are forgotten by the way. Arguments: digest, subject, role, department,
-- area, identity, for how long.
with swept as (delete from sign_in_links where expires_at < clock_timestamp())
insert into sign_in_links (digest, subject, role, department, area, identity, expires_at)
values ($1, $2, $3, $4, $5, $6, clock_timestamp() + $7::interval);

-- name: find_link
-- For whom a link is that can still be used. Argument: digest.
select subject, role, department, area, identity from sign_in_links where digest = $1 and expires_at > clock_timestamp();

-- name: take_link
-- The same, and it cannot be used again. Argument: digest.
delete from sign_in_links where digest = $1 and expires_at > clock_timestamp()
returning subject, role, department, area, identity;
