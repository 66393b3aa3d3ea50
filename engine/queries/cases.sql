-- What is read of cases. Who sees what is decided in schemas/kernel/visibility.py; `matching` says the same in SQL.

-- name: find_case
-- One row, with its text unless the asker has it, by its version ($2): every writing of a row makes another one.
select procedure, version, row_digest, case when version is distinct from $2::text then snapshot::text end as snapshot
from (select procedure, row_digest, snapshot, head_hash || ' ' || xmin::text as version from cases where case_id = $1) as found;

-- name: start_of_case
-- The start of a case that may not stand yet.
select procedure, payload::text as snapshot from intake where case_id = $1 and kind = 'start';

-- name: plan_for_what_is_asked
-- Most filters are not set: planned for the values at hand, what is not set costs nothing and an index serves the rest.
select set_config('plan_cache_mode', 'force_custom_plan', true);

-- name: matching
-- The cases that somebody sees ($1: area; $2: the account that reported or has a seat, $3: whom they involve, one of which is
-- enough; $4: town time) and that the filters leave.
-- What waits for the account that asks ($9 is reporter): what it reported, or what waits for its very seat; not what waits for
-- whoever reported a case in which it only has one.
-- Of a part of the number $18 or $19 is set (starter/cases/number_parts.py): the numbers that have it, or, of too many, the part.
-- Of `strpos` the planner knows nothing, so it holds the part for common, which it is.
select case_id, procedure, stage, holder, area, department, opened_at, closed_at, ended, due_at, due_clock, seq, labels,
       due.overdue, due.soon
from cases
     cross join lateral (
         select due_at is not null and due_at <= $4::timestamptz and not ended as overdue,
                due_at is not null and due_at > $4::timestamptz and warns_at <= $4::timestamptz and not ended as soon
     ) as due
where ($1::text is null or area = $1
       or (area collate "C" >= $1 || '.' and area collate "C" < $1 || '/'))
  and (($2::text is null and $3::text[] is null)
       or reporter_subject = $2 or cases.participants ? $2 or involved && $3::text[])
  and ($5::text is null or procedure = $5)
  and ($6::text is null or stage = $6)
  and ($7::text is null or department = $7)
  and ($8::text is null or area = $8
       or (area collate "C" >= $8 || '.' and area collate "C" < $8 || '/'))
  and ($9::text is null
       or (holder <> '' and case
           when $9 = 'reporter' and $2::text is not null
           then holder = 'participant:' || $2
                or (holder = $9 and (reporter_subject = $2 or coalesce(not cases.participants ? $2, true)))
           else holder = $9 end))
  and ($10::text is null or category = $10)
  and ($11::boolean is null or ended = $11)
  and ($12::boolean is null or $12 = due.overdue)
  and ($13::boolean is null or $13 = due.soon)
  and ($14::timestamptz is null or opened_at >= $14)
  and ($15::timestamptz is null or opened_at < $15)
  and ($16::timestamptz is null or due_at >= $16)
  and ($17::timestamptz is null or due_at < $17)
  and ($18::text[] is null or case_id = any($18))
  and ($19::text is null or strpos(case_id, lower($19)) > 0);

-- name: numbers_with_part
-- Numbers that have a part ($1) somewhere, no more than $2 of them. Planned as if all were read, and read until there are enough:
-- so an estimate decides nothing but how they are read, and one that is wrong cannot lead past the index for what is rare.
with found as materialized (select case_id from searched_numbers where case_id like anywhere($1))
select case_id from found limit $2;

-- name: numbers_with_signs
-- The same for a part too short for the index of parts, which would be read whole for it: the table is, until there are enough.
select case_id from searched_numbers where strpos(case_id, lower($1)) > 0 limit $2;

-- name: numbers_with_beginning
-- Numbers that begin so ($1), no more than $2 of them. No sign of a number comes after "~".
select case_id from searched_numbers
where case_id collate "C" >= lower($1) and case_id collate "C" < lower($1) || '~'
limit $2;

-- name: page_by_opening
-- A page of `matching`, newest first, from a cursor on.
select case_id, procedure, stage, holder, area, department, opened_at, closed_at, ended, due_at, due_clock, seq, labels
from matching
where ($20::timestamptz is null or (opened_at, case_id) < ($20, $21::text))
order by opened_at desc, case_id desc
limit $22;

-- name: page_by_due
-- A page of `matching`, the earliest due first, what has no due time last; from a cursor on.
select case_id, procedure, stage, holder, area, department, opened_at, closed_at, ended, due_at, due_clock, seq, labels
from matching
where ($21::text is null or (coalesce(due_at, 'infinity'), case_id) > (coalesce($20::timestamptz, 'infinity'), $21::text))
order by coalesce(due_at, 'infinity'), case_id
limit $22;

-- name: count_matching
-- How many `matching` there are.
select count(*)::integer from matching;

-- name: count_by_due
-- How many `matching` there are, and how many of them are due soon and overdue at $4, in one going through them.
select count(*)::integer as whole,
       (count(*) filter (where soon))::integer as due_soon,
       (count(*) filter (where overdue))::integer as overdue
from matching;

-- name: count_some_matching
-- How many `matching` there are, counted no further than $20: a number on a page is not worth going through a million rows.
select count(*)::integer from (select 1 from matching limit $20) as counted;

-- name: overdue_work
-- What is past its due time at $1 (town time), by holder and clock, the oldest first; how much of it has climbed one tier, and two
-- or more. $2: the caller's area; $3: one holder. What has no clock running has no due time: the index by it holds open work alone.
select holder, procedure, coalesce(due_clock, '') as clock, count(*)::integer as overdue,
       count(*) filter (where due_tier = 1)::integer as at_first, count(*) filter (where due_tier > 1)::integer as at_second,
       min(due_at) as oldest_due_at
from cases
where due_at <= $1::timestamptz and not ended
  and ($2::text is null or area = $2 or (area collate "C" >= $2 || '.' and area collate "C" < $2 || '/'))
  and ($3::text is null or holder = $3)
group by holder, procedure, due_clock
order by min(due_at), holder, procedure, due_clock
limit $4;

-- name: entries_after
-- The entries of a case, in order, from a place on.
select body, hash from chain_of($1) where seq > $2 order by seq limit $3;

-- name: entries_naming
-- The entries of a case in which a reference ($2) stands, in order.
select body from chain_of($1) where strpos(body, '"' || $2 || '"') > 0 order by seq;

-- name: similar
-- Open cases that may be the same matter as case $1: same category, inside $5 metres, opened inside $6 of each other.
-- A micro-degree of latitude is 111.32 mm; $7 is the cosine of the latitude in ten-thousandths. Integers throughout:
-- the box lets the index work, the circle decides.
with this as (select case_id, category, latitude_micro, longitude_micro, opened_at from cases where case_id = $1),
near as (
    select other.*,
           (other.latitude_micro - this.latitude_micro)::numeric as north,
           trunc((other.longitude_micro - this.longitude_micro)::numeric * $7::integer / 10000) as east,
           abs(extract(epoch from other.opened_at - this.opened_at))::bigint as apart_seconds
    from this join cases as other
      on other.category = this.category and other.case_id <> this.case_id
     and other.latitude_micro between this.latitude_micro - $5::integer * 100000 / 11132 - 1
                                  and this.latitude_micro + $5::integer * 100000 / 11132 + 1
     and other.opened_at between this.opened_at - $6::interval and this.opened_at + $6::interval
    where other.closed_at is null and not other.ended
      and ($2::text is null or other.area = $2
           or (other.area collate "C" >= $2 || '.' and other.area collate "C" < $2 || '/'))
      and ($3::text[] is null or other.involved && $3::text[])
      and ($4::text is null or other.reporter_subject = $4)
)
select case_id, procedure, stage, holder, area, department, opened_at, closed_at, ended, due_at, due_clock, seq, labels,
       round(sqrt(north * north + east * east) * 11132 / 100000)::integer as distance_metres, apart_seconds
from near
where (north * north + east * east) * 11132 * 11132 <= ($5::numeric * 100000) * ($5::numeric * 100000)
order by north * north + east * east, case_id
limit $8;

-- name: hot_spot_reports
-- The newest $4 incidents opened since $1 that a caller sees ($2, $3: area, departments), with the references of their texts, for who
-- compares them. Not what was taken back or not taken on. `who`: the person of the report, else its account, else nobody but itself.
select case_id, opened_at, closed_at, stage, category, department, area, latitude_micro, longitude_micro,
       coalesce(snapshot ->> 'reporter', reporter_subject, case_id) as who,
       snapshot ->> 'description' as description, snapshot ->> 'address' as address
from cases
where procedure = 'incident' and opened_at >= $1 and stage not in ('withdrawn', 'rejected')
  and ($2::text is null or area = $2 or (area collate "C" >= $2 || '.' and area collate "C" < $2 || '/'))
  and ($3::text[] is null or involved && $3::text[])
order by opened_at desc, case_id desc
limit $4;

-- name: weak_point_counts
-- What was judged of incidents, by month of report, and by department, category and community: for what grew worse (docs/hot-spots.md).
-- $1, $2: the caller's area and department; $3, $4: opened from and before. Months are those of the town.
with counted as (
    select to_char(opened_at at time zone 'Asia/Shanghai', 'YYYY-MM') as month, department, category,
           array_to_string((string_to_array(area, '.'))[1:3], '.') as area,
           finish_kept, respond_kept, (snapshot ->> 'returns')::integer > 0 as returned,
           case when stage = 'unresolved' then 'not' when stage = 'closed' and rated then solved end as outcome
    from cases
    where procedure = 'incident' and stage not in ('withdrawn', 'rejected', 'merged')
      and opened_at >= $3 and opened_at < $4
      and ($1::text is null or area = $1 or (area collate "C" >= $1 || '.' and area collate "C" < $1 || '/'))
      and ($2::text is null or department = $2)
), named as (
    select month, kind, name, finish_kept, respond_kept, returned, outcome
    from counted cross join lateral (values ('department', department), ('category', category), ('area', area)) as told (kind, name)
    where name is not null
)
select kind, name, month, count(*) as reported,
       count(finish_kept) as finish_judged, count(*) filter (where not finish_kept) as finished_late,
       count(respond_kept) as response_judged, count(*) filter (where not respond_kept) as responded_late,
       count(*) filter (where returned) as returned,
       count(outcome) as outcome_known, count(*) filter (where outcome = 'not') as not_solved
from named group by kind, name, month order by kind, name, month;

-- name: alike_in_public
-- Open cases of one matter in a community, for somebody who is about to report it: when and how far, and nothing else. Arguments:
-- procedure, category, community, stages, opened after, how many.
select stage, opened_at from cases
where procedure = $1 and category = $2 and closed_at is null and not ended and stage = any($4::text[]) and opened_at > $5
  and (area = $3 or (area collate "C" >= $3 || '.' and area collate "C" < $3 || '/'))
order by opened_at desc, case_id desc
limit $6;
-- name: precedents
-- Who had the newest $6 cases of the procedure and category of case $1, opened since $2, as far as a caller sees them ($3 to $5: area,
-- reporter, department): by department how many it had, how often it gave one back ($7: the entries that tell so), and how
-- many were closed while it had them.
with this as (select case_id, procedure, category from cases where case_id = $1),
such as (
    select other.case_id, other.department, other.involved, other.closed_at
    from this join cases as other
      on other.procedure = this.procedure and other.category = this.category and other.case_id <> this.case_id
    where other.opened_at >= $2::timestamptz
      and ($3::text is null or other.area = $3
           or (other.area collate "C" >= $3 || '.' and other.area collate "C" < $3 || '/'))
      and ($4::text is null or other.reporter_subject = $4)
      and ($5::text[] is null or other.involved && $5::text[])
    order by other.opened_at desc, other.case_id desc
    limit $6
), had as (
    select held.department, count(*)::integer as cases,
           count(*) filter (where such.closed_at is not null and such.department = held.department)::integer as closed
    from such cross join lateral unnest(such.involved) as held (department)
    group by held.department
), back as (
    select department, count(*)::integer as returned
    from (select distinct such.case_id, seq, body::jsonb #>> '{facts,department}' as department
          from such cross join lateral ledger_of(such.case_id) where kind = any($7::text[])) as told
    group by department
)
select had.department, cases, closed, coalesce(returned, 0) as returned, (select count(*)::integer from such) as looked_at
from had left join back using (department)
order by cases desc, had.department;

-- name: reported_alike
-- Open cases of the reporter of case $1, opened inside $6 of it, of which one or the other has no coordinates, so that no
-- distance tells them apart: with the references of their texts, which the caller compares. $5: the reporter, as a person.
with this as (select case_id, category, latitude_micro, reporter_subject, opened_at from cases where case_id = $1)
select other.case_id, other.procedure, other.stage, other.holder, other.area, other.department, other.opened_at,
       other.closed_at, other.ended, other.due_at, other.due_clock, other.seq, other.labels,
       other.category = this.category as same_category, other.snapshot ->> 'description' as description,
       other.snapshot ->> 'address' as address,
       abs(extract(epoch from other.opened_at - this.opened_at))::bigint as apart_seconds
from this join cases as other
  on other.case_id <> this.case_id and other.procedure = 'incident'
 and (other.reporter_subject = this.reporter_subject
      or other.case_id in (select case_id from person_cases where person_id = $5)
         and other.snapshot ->> 'reporter' = $5)
 and (this.latitude_micro is null or other.latitude_micro is null)
 and other.opened_at between this.opened_at - $6::interval and this.opened_at + $6::interval
where other.closed_at is null and not other.ended
  and ($2::text is null or other.area = $2
       or (other.area collate "C" >= $2 || '.' and other.area collate "C" < $2 || '/'))
  and ($3::text[] is null or other.involved && $3::text[])
  and ($4::text is null or other.reporter_subject = $4)
order by apart_seconds, other.case_id
limit 50;

-- name: indicators
-- The three rates and the times (docs/indicators.md). $1, $2: the caller's area and department; $3: procedure;
-- $4 to $8: opened from and before, department, area, category; $9: by what it is grouped; $10: area codes are cut to
-- so many parts. The line without a group is the whole.
with counted as (
    select case when 'department' = any($9::text[]) then coalesce(department, '') end as department,
           case when 'category' = any($9::text[]) then coalesce(category, '') end as category,
           case when 'area' = any($9::text[])
                then array_to_string((string_to_array(area, '.'))[1:coalesce($10::integer, 99)], '.') end as area,
           case when 'month' = any($9::text[])
                then to_char(opened_at at time zone 'Asia/Shanghai', 'YYYY-MM') end as month,
           stage, opened_at, closed_at, responded_at, finished_at,
           stage in ('withdrawn', 'rejected', 'merged') as set_aside,
           case when stage not in ('withdrawn', 'rejected', 'merged') then respond_kept end as responded_in_time,
           case when stage not in ('withdrawn', 'rejected', 'merged') then finish_kept end as finished_in_time,
           case when stage = 'unresolved' then 'not' when stage = 'closed' and rated then solved end as outcome,
           case when stage = 'closed' and rated then satisfied end as opinion
    from cases
    where procedure = $3
      and ($1::text is null or area = $1 or (area collate "C" >= $1 || '.' and area collate "C" < $1 || '/'))
      and ($2::text is null or department = $2)
      and ($4::timestamptz is null or opened_at >= $4)
      and ($5::timestamptz is null or opened_at < $5)
      and ($6::text is null or department = $6)
      and ($7::text is null or area = $7 or (area collate "C" >= $7 || '.' and area collate "C" < $7 || '/'))
      and ($8::text is null or category = $8)
), grouped as (
    select grouping(department) = 1 as whole, department, category, area, month,
           count(*) as reported,
           count(*) filter (where set_aside) as set_aside,
           count(*) filter (where closed_at is null) as open,
           count(responded_in_time) as response_judged,
           count(*) filter (where responded_in_time) as responded_in_time,
           count(finished_in_time) as finish_judged,
           count(*) filter (where finished_in_time) as finished_in_time,
           count(outcome) as outcome_known,
           count(*) filter (where outcome = 'solved') as solved,
           count(*) filter (where outcome = 'partly') as partly_solved,
           count(*) filter (where outcome = 'not') as not_solved,
           count(opinion) as opinions,
           count(*) filter (where opinion = 'satisfied') as satisfied,
           count(*) filter (where opinion = 'basically') as basically_satisfied,
           count(*) filter (where opinion = 'not') as not_satisfied,
           percentile_cont(array[0.5, 0.9]) within group (order by extract(epoch from responded_at - opened_at)::float8)
               filter (where not set_aside and responded_at is not null) as response_seconds,
           percentile_cont(array[0.5, 0.9]) within group (order by extract(epoch from finished_at - opened_at)::float8)
               filter (where stage = 'closed' and finished_at is not null) as handling_seconds
    from counted
    group by grouping sets ((), (department, category, area, month))
)
select * from grouped order by not whole, month, department, category, area limit 5002;

-- name: procedure_indicators
-- Cases of each procedure by stage; the line without a stage is all of them. $1, $2: the caller's area and department;
-- $3: procedure; $4, $5: opened from and before; $6: area.
select procedure, stage, count(*) as opened, count(*) filter (where closed_at is null) as open,
       percentile_cont(array[0.5, 0.9]) within group (order by extract(epoch from closed_at - opened_at)::float8)
           filter (where closed_at is not null) as closing_seconds
from cases
where ($1::text is null or area = $1 or (area collate "C" >= $1 || '.' and area collate "C" < $1 || '/'))
  and ($2::text is null or involved @> array[$2::text])
  and ($3::text is null or procedure = $3)
  and ($4::timestamptz is null or opened_at >= $4)
  and ($5::timestamptz is null or opened_at < $5)
  and ($6::text is null or area = $6 or (area collate "C" >= $6 || '.' and area collate "C" < $6 || '/'))
group by grouping sets ((procedure), (procedure, stage));

-- name: whistle_indicators
-- How departments answer whistles, and how often streets blow them (docs/indicators.md). $1, $2: the caller's area and
-- department; $3 to $7: opened from and before, department, area, type; $8: streets are areas cut to so many parts.
-- A clock is judged when the department stopped it or it was broken; what the engine stopped is nobody's.
with seen as (
    select *, labels ->> 'type' as type,
           array_to_string((string_to_array(area, '.'))[1:$8::integer], '.') as street
    from cases
    where procedure in ('whistle', 'summons', 'incident')
      and ($1::text is null or area = $1 or (area collate "C" >= $1 || '.' and area collate "C" < $1 || '/'))
      and ($2::text is null or (procedure = 'summons' and department = $2)
           or (procedure = 'whistle' and involved @> array[$2::text]))
      and ($3::timestamptz is null or opened_at >= $3)
      and ($4::timestamptz is null or opened_at < $4)
      and ($6::text is null or area = $6 or (area collate "C" >= $6 || '.' and area collate "C" < $6 || '/'))
      and ($7::text is null or procedure = 'incident' or labels ->> 'type' = $7)
), judged as (
    select department, type, stage, opened_at, responded_at, (snapshot ->> 'arrived_at')::timestamptz as arrived_at,
           (labels ->> 'score')::integer as score, (snapshot ->> 'was_absent')::boolean as was_absent,
           case when respond_kept then true when broken @> '["respond"]' then false end as responded_in_time,
           case when stage <> 'released' then
               case when clock_kept(clocks, snapshot, 'arrive') then true when broken @> '["arrive"]' then false end
           end as arrived_in_time,
           case when finish_kept then true when broken @> '["finish"]' then false end as finished_in_time
    from seen cross join lateral (
        select coalesce(jsonb_agg(shown ->> 'name'), '[]') as broken
        from jsonb_array_elements(clocks) as views (shown) where (shown ->> 'breached')::boolean
    ) as clocks_broken
    where procedure = 'summons' and ($5::text is null or department = $5)
), departments as (
    select case when grouping(department) = 1 then 'whole' else 'department' end as kind, department, type,
           count(*) as summoned,
           count(*) filter (where stage = 'released') as released,
           count(*) filter (where stage = 'cancelled') as cancelled,
           count(*) filter (where was_absent) as absent,
           count(responded_in_time) as response_judged,
           count(*) filter (where responded_in_time) as responded_in_time,
           count(arrived_in_time) as arrival_judged,
           count(*) filter (where arrived_in_time) as arrived_in_time,
           count(finished_in_time) as finish_judged,
           count(*) filter (where finished_in_time) as finished_in_time,
           count(score) as scored,
           round(avg(score), 2)::float8 as mean_score,
           percentile_cont(array[0.5, 0.9]) within group (order by extract(epoch from responded_at - opened_at)::float8)
               filter (where responded_at is not null) as response_seconds,
           percentile_cont(array[0.5, 0.9]) within group (order by extract(epoch from arrived_at - opened_at)::float8)
               filter (where arrived_at is not null) as arrival_seconds
    from judged
    group by grouping sets ((), (department, type))
), streets as (
    select street, count(*) filter (where procedure = 'whistle') as whistles,
           count(*) filter (where procedure = 'whistle' and closed_at is null) as open,
           count(*) filter (where procedure = 'whistle' and stage = 'closed') as closed,
           count(*) filter (where procedure = 'whistle' and stage = 'cancelled') as whistles_cancelled,
           count(*) filter (where procedure = 'whistle' and stage = 'unresolved') as unresolved,
           count(*) filter (where procedure = 'whistle' and snapshot ->> 'incident' is not null) as born_of_incidents,
           count(*) filter (where procedure = 'incident') as incidents
    from seen
    where procedure in ('whistle', 'incident')
    group by street
)
select kind, department, type, null as street, to_jsonb(departments) as figures from departments
union all
select 'street', null, null, street, to_jsonb(streets) from streets
order by kind desc, street, department, type
limit 5002;
