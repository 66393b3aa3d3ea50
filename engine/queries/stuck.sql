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

-- name: untold
-- Open cases that answered a command so long ago, and whose ledger does not have what they answered.
select case_id, min(intake.settled_at) as since
from intake join cases using (case_id)
where not cases.ended and intake.kind = 'command' and intake.status = 'delivered'
  and intake.settled_at < clock_timestamp() - $1::interval and (intake.answer ->> 'seq')::integer > cases.seq
group by case_id
order by 2
limit $2;

-- name: rows_of
-- The rows of these cases.
select case_id, procedure, stage, holder, department, due_at, due_clock, updated_at from cases where case_id = any($1);
