-- How often an account asks, over all APIs (starter/http/shared_rates.py).

-- name: draw
-- Draw up to so many requests ($4) out of a bucket that holds at most $3 and fills by $2 a second: how many were there, and what is left.
insert into rates as kept (whose, saved, drawn, drawn_at, full_at)
values ($1, $3::float8 - $4::integer, $4::integer, now(), now() + make_interval(secs => $4::integer / $2::float8))
on conflict (whose) do update set (saved, drawn, drawn_at, full_at) = (
    select saved_up - taken, taken, moment, moment + make_interval(secs => ($3 - saved_up + taken) / $2)
    from (select greatest(kept.drawn_at, now()) as moment) as this_one,
         lateral (select least($3, kept.saved + extract(epoch from moment - kept.drawn_at) * $2) as saved_up) as filled,
         lateral (select least($4::integer, floor(saved_up)::integer) as taken) as drawing
)
returning drawn, saved;

-- name: look
-- What a bucket has that holds at most $3 and fills by $2 a second, no row where it is full; nothing is drawn.
select least($3::float8, saved + greatest(0, extract(epoch from now() - drawn_at)) * $2::float8) as saved from rates where whose = $1;

-- name: forget_full
-- Buckets that are full are as those that never were: so many of them, and none that somebody is drawing from. How many went.
with full_ones as (select whose from rates where full_at < now() limit $1 for update skip locked),
     gone as (delete from rates using full_ones where rates.whose = full_ones.whose returning 1)
select count(*) from gone;
