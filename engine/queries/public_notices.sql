-- Public notices 公示: what is posted for everybody.

-- name: posted
-- The applications whose posting is up at town time $1, the next to come down first.
select snapshot, (publicity ->> 'started_at')::timestamptz as posted_at, (publicity ->> 'due_at')::timestamptz as until_at
from cases, jsonb_path_query_first(clocks, '$[*] ? (@.name == "publicity")') as publicity
where procedure = 'welfare' and stage = 'publicised' and not ended
  and publicity ->> 'status' = 'running' and (publicity ->> 'due_at')::timestamptz > $1
order by until_at, case_id
limit 1000
