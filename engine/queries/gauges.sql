-- What is known of gauges (starter/incident_gauges.py).

-- name: known
-- What is known of a gauge, and which version of it that is.
select state, version from gauges where platform = $1 and gauge = $2;

-- name: begin
-- The first that is known of a gauge; nothing, where another one was quicker.
insert into gauges (platform, gauge, state, last_at) values ($1, $2, $3, $4) on conflict do nothing returning version;

-- name: change
-- What is known of a gauge now; nothing, where another one has changed it since version $5.
update gauges set state = $3, last_at = $4, version = version + 1
where platform = $1 and gauge = $2 and version = $5
returning version;

-- name: platform_speaks
-- A platform is heard at $2; after a pause of more than $3 it speaks since now. Since when it does.
insert into gauge_platforms (platform, heard_at, speaking_since) values ($1, $2, $2)
on conflict (platform) do update set
    speaking_since = case when gauge_platforms.heard_at < excluded.heard_at - $3::interval then excluded.heard_at else gauge_platforms.speaking_since end,
    heard_at = greatest(gauge_platforms.heard_at, excluded.heard_at)
returning speaking_since;

-- name: longest_silent
-- The gauge of a platform that has been silent longest, since before $2, and of which nobody was asked to mend it since.
select gauge, last_at from gauges
where platform = $1 and last_at < $2 and silent_told_at is distinct from last_at and gauge = any($3::text[])
order by last_at
limit 1;

-- name: silence_told
-- Somebody was asked to mend a gauge that has been silent since then.
update gauges set silent_told_at = $3 where platform = $1 and gauge = $2;
