-- Public notices 公示: what is posted for everybody.

-- name: posted
-- The cases whose posting is up at town time $1, the next to come down first: of the procedures $2, each at its stage $3, while
-- their clock $4 runs.
select cases.procedure, snapshot,
       (publicity ->> 'started_at')::timestamptz as posted_at, (publicity ->> 'due_at')::timestamptz as until_at
from unnest($2::text[], $3::text[]) as posting (procedure, stage)
join cases on cases.procedure = posting.procedure and cases.stage = posting.stage,
     jsonb_path_query_first(clocks, '$[*] ? (@.name == $clock)', jsonb_build_object('clock', $4::text)) as publicity
where not ended and publicity ->> 'status' = 'running' and (publicity ->> 'due_at')::timestamptz > $1
order by until_at, case_id
limit 1000
