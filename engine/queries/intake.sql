-- What the town accepted and has to deliver. A lease is taken in one statement; none is held while Temporal is called.

-- name: lease_number
-- The next number of a day, in a transaction of its own that ends with this statement; none where the key is known.
-- It waits for no disk: the case is kept by a later commit of the same session, which waits for all that was written before it. A crash
-- that takes the lease back ends the session, and so the case; nobody but this session has the number.
with at_once as materialized (select set_config('synchronous_commit', 'off', true))
insert into case_numbers (procedure, day, last)
select $1, $2, 1 from at_once where not exists (select from intake where subject = $3 and scope = $4 and key = $5)
on conflict (procedure, day) do update set last = case_numbers.last + 1
returning last;

-- name: accept_start
-- Take a place for this key. No row when the key is known: then the other transaction has ended, and `known` finds it.
insert into intake (submission, kind, command, procedure, case_id, subject, scope, key, body_digest)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (subject, scope, key) do nothing
returning intake_id;

-- name: known
-- What was accepted under a key.
select * from intake where subject = $1 and scope = $2 and key = $3;

-- name: accept_command
-- The row of a command, new or as the key has it (engine/migrations/20261122000080_accept_command.sql).
select * from accept_command($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: fill
-- Complete the accepted row of a start, before which nothing of its case can wait: it is leased to the accepting process at once.
update intake set case_id = $2, payload = $3, leased_until = clock_timestamp() + $4::interval, attempts = 1
where intake_id = $1
returning *;

-- name: claim_due
-- Lease what waits, is nobody's, and is the first of its case; of one case, or of all.
update intake
set leased_until = clock_timestamp() + $2::interval, attempts = attempts + 1
where intake_id in (
    select intake_id from intake as mine
    where status = 'waiting'
      and ($3::text is null or case_id = $3)
      and (leased_until is null or leased_until <= clock_timestamp())
      and not exists (
          select from intake as earlier
          where earlier.case_id = mine.case_id and earlier.status = 'waiting' and earlier.intake_id < mine.intake_id
      )
    order by intake_id
    limit $1
    for update skip locked
)
returning *;

-- name: postpone
-- Leave it for later; only the latest attempt may.
update intake set leased_until = clock_timestamp() + $3::interval
where intake_id = $1 and attempts = $2 and status = 'waiting';

-- name: settle
-- Write down how it ended; only the latest attempt may, and only once. No row: somebody else may. What was laid aside by hand
-- while it was under way, and was carried out or refused all the same, is what the case says of it.
-- With the case as it stands then, if it is asked for ($5): a command is answered with what came of it.
with settled as (
    update intake set status = $3, answer = $4, settled_at = clock_timestamp(), leased_until = null
    where intake_id = $1
      and (attempts = $2 and status = 'waiting' or status = 'set_aside' and $3 in ('delivered', 'refused'))
    returning case_id, settled_at
)
select settled_at,
       exists (select from intake as behind
               where behind.case_id = settled.case_id and behind.status = 'waiting' and behind.intake_id <> $1) as more,
       told.procedure, told.version, told.snapshot, told.row_digest
from settled left join lateral (
    select procedure, head_hash || ' ' || xmin::text as version, snapshot::text as snapshot, row_digest
    from cases where cases.case_id = settled.case_id and $5
) as told on true;

-- name: settle_told
-- The same of a command whose case told with its answer what the ledger is to have (engine/migrations/20261201000001_told_with_answers.sql).
select * from settle_told($1, $2, $3, $4, $5::text::jsonb, $6::jsonb, $7, $8, $9::jsonb, $10::jsonb, $11, $12, $13, $14, $15);

-- name: settle_told_untold
-- The same by somebody who tells of it afterwards (engine/store/announcer.py); its last argument hangs on the setting, which so comes first.
with later as materialized (select set_config('jiceng.announced', 'later', true) as word)
select told.* from later cross join lateral
    settle_told($1, $2, $3, $4, $5::text::jsonb, $6::jsonb, $7, $8, $9::jsonb, $10::jsonb, $11, $12, $13, $14,
                $15 and later.word is not null) as told;

-- name: stands
-- Whether the ledger has exactly this entry.
select exists (select from ledger_of($1) where seq = $2 and hash = $3);

-- name: find_submission
-- What a caller follows.
select * from intake where submission = $1;

-- name: backlog
-- How much waits, and for how long the oldest has.
select count(*)::integer as waiting,
       coalesce(extract(epoch from clock_timestamp() - min(received_at)), 0)::float8 as oldest_seconds
from intake where status = 'waiting';

-- name: suspect
-- The task of its case failed with it, from so many seconds before now on; only the latest attempt may say so.
update intake
set failing_since = coalesce(failing_since, clock_timestamp() - $3::interval)
where intake_id = $1 and attempts = $2 and status = 'waiting';

-- name: elsewhere
-- Of the cases that were last accepted for: how many others are suspected too, and for how many something went through since then.
select count(distinct case_id) filter (where status = 'waiting' and failing_since is not null)::integer as failing,
       count(distinct case_id) filter (where status in ('delivered', 'refused') and settled_at > $2)::integer as well
from (select case_id, status, failing_since, settled_at from intake order by intake_id desc limit 2000) as latest
where case_id is distinct from $1;

-- name: lay_aside
-- Lay a command aside by hand, whoever is delivering it just now, or note that somebody has looked at one that was.
update intake
set status = 'set_aside', looked_at = clock_timestamp(), leased_until = null, attempts = attempts + 1,
    answer = case when status = 'set_aside' then answer else $2 end, settled_at = coalesce(settled_at, clock_timestamp())
where submission = $1 and kind = 'command' and status in ('waiting', 'set_aside')
returning *;

-- name: take_up_again
-- Deliver again what was laid aside, as if it had just come.
update intake
set status = 'waiting', answer = null, settled_at = null, failing_since = null, looked_at = null, leased_until = null,
    attempts = attempts + 1
where submission = $1 and status = 'set_aside'
returning *;

-- name: case_stands
-- Whether a case has told the ledger of itself; one that a restored town has to begin once more has not.
select exists (select from cases where case_id = $1 and first_run_id is distinct from '');

-- name: untaken_starts
-- Starts of the last day that were delivered and whose case has told nothing; those delivered before come later and later.
select * from intake
where kind = 'start' and status = 'delivered'
  and settled_at > clock_timestamp() - interval '1 day'
  and settled_at < clock_timestamp() - $2::interval * power(2, least(attempts, 12) - 1)
  and not exists (select from cases where cases.case_id = intake.case_id)
order by settled_at
limit $1;

-- name: deliver_again
-- Deliver a start once more, if nobody else has meanwhile.
update intake set status = 'waiting', settled_at = null, leased_until = null
where intake_id = $1 and attempts = $2 and kind = 'start' and status = 'delivered';
