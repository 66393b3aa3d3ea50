-- Reports that are being written by somebody without an account (console/residents/drafts.py). All times are real times.

-- name: begin_draft
-- Somebody has begun; what ended is forgotten by the way. Arguments: digest, what was written, for how long it is kept.
with swept as (
    delete from report_drafts where digest in (
        select digest from report_drafts where ends_at <= clock_timestamp() limit 50 for update skip locked
    )
)
insert into report_drafts (digest, sealed, ends_at) values ($1, $2, clock_timestamp() + $3::interval);

-- name: find_draft
-- What was written, and how many seconds ago it was begun. Argument: digest.
select sealed, extract(epoch from clock_timestamp() - begun_at)::float8 as age_seconds
from report_drafts where digest = $1 and ends_at > clock_timestamp();

-- name: hold_draft
-- What stands there, until what is to stand there is kept: nobody keeps anything between. Argument: digest.
select sealed from report_drafts where digest = $1 and ends_at > clock_timestamp() for update;

-- name: keep_draft
-- What was written by now; it is kept no longer for that. Arguments: digest, what was written, for how long at most from now.
update report_drafts set sealed = $2, ends_at = least(ends_at, clock_timestamp() + $3::interval)
where digest = $1 and ends_at > clock_timestamp();

-- name: end_draft
-- It is forgotten. Argument: digest.
delete from report_drafts where digest = $1;
