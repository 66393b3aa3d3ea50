-- The board of duties 义务公开: what each side of an agreement owes, for everybody.

-- name: on_board
-- The cases of the procedures $1, each at one of its stages $2, the newest first.
select cases.snapshot, cases.procedure
from unnest($1::text[], $2::text[]) as board (procedure, stage)
join cases on cases.procedure = board.procedure and cases.stage = board.stage
where not ended
order by opened_at desc, case_id desc
limit 1000
