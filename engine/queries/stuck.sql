-- Where to look for cases that do not get on: from our own books, so that nobody has to ask Temporal about every case.

-- name: under_way
-- Open cases with outside work asked for and not done since, those that have waited longest first.
select case_id from cases
where not ended and jsonb_array_length(coalesce(snapshot -> 'errands', '[]')) > 0
  and updated_at < clock_timestamp() - $1::interval
order by updated_at
limit $2;

-- name: undelivered
-- Cases with a submission that was accepted so long ago and not delivered, or a start that was and nobody took up.
select case_id, min(received_at) as since, min(command) as command from (
    select case_id, received_at, command from intake
    where status = 'waiting' and received_at < clock_timestamp() - $1::interval
    union all
    select case_id, received_at, command from intake as starts
    where kind = 'start' and status = 'delivered' and settled_at < clock_timestamp() - $1::interval
      and not exists (select from cases where cases.case_id = starts.case_id)
) as waits
group by case_id
order by 2
limit $2;

-- name: untaken
-- Cases whose flush has been tried for so long, and was a moment ago: a try follows the last one within half a minute. With the
-- head and the run that told it, where the run that tells now was given the state of an earlier one.
select case_id, attempts, since, head.run_id as head_told_by, head.seq, head.hash
from flush_retries left join lateral (
    select told.run_id, told.seq, told.hash from cases join lateral ledger_of(cases.case_id) as told using (seq)
    where cases.case_id = flush_retries.case_id and told.hash = cases.head_hash
      and exists (
          select from refusals
          where refusals.case_id = flush_retries.case_id and refusals.command = 'turned-back'
            and refusals.at > flush_retries.since - interval '1 minute'
      )
) as head on true
where tried_at > clock_timestamp() - interval '90 seconds' and since < clock_timestamp() - $1::interval
order by since
limit $2;

-- name: rows_of
-- The rows of these cases.
select case_id, procedure, stage, holder, department, due_at, due_clock, updated_at from cases where case_id = any($1);

-- name: failing
-- Commands with which the task of their case fails, and those that were laid aside for it and that nobody has looked at since.
select case_id, submission, command, status, attempts, failing_since as since, answer ->> 'failure' as failure
from intake
where (status = 'waiting' and failing_since is not null) or (status = 'set_aside' and looked_at is null)
order by intake_id
limit $1;
