-- How often senders without an account were wrong (starter/http/senders.py).

-- name: count_attempt
-- One more attempt of a sender, counted before it is judged: how many there were since the counting began. No row while the
-- sender has to wait; then nothing is counted. Arguments: sender, how many are free, the first pause, the longest, how long is counted.
with swept as (
    delete from code_senders where sender in (
        select sender from code_senders
        where ends_at <= clock_timestamp() and sender <> $1 limit 20 for update skip locked
    )
)
insert into code_senders as known (sender, attempts, pauses_until, ends_at)
values ($1, 1, clock_timestamp(), clock_timestamp() + $5::interval)
on conflict (sender) do update set
    attempts = case when known.ends_at <= clock_timestamp() then 1 else known.attempts + 1 end,
    pauses_until = case when known.ends_at <= clock_timestamp() or known.attempts + 1 < $2 then clock_timestamp()
                        else clock_timestamp() + least($3::interval * 2 ^ least(known.attempts + 1 - $2, 30), $4::interval) end,
    ends_at = case when known.ends_at <= clock_timestamp() then excluded.ends_at else known.ends_at end
where known.ends_at <= clock_timestamp() or known.pauses_until <= clock_timestamp()
returning attempts, ends_at;

-- name: forget_attempt
-- The attempt that was counted as the so-many-th was a right one: it counts for nothing, whoever else was at it meanwhile. A pause ends
-- with it that it began itself, or that nobody would have without it; that of a wrong one stays. A counting that began anew meanwhile
-- does not have it. Arguments: sender, the number, when that counting ends, how many are free.
update code_senders set
    attempts = attempts - 1,
    pauses_until = case when attempts = $2 or attempts - 1 < $4 then clock_timestamp() else pauses_until end
where sender = $1 and ends_at = $3 and attempts > 0;

-- name: pause_of
-- For how many seconds a sender has to wait.
select ceil(extract(epoch from pauses_until - clock_timestamp()))::integer from code_senders where sender = $1;
