-- Orders that no department's system has: for operators.

-- name: undelivered_orders
-- Open cases whose latest order was given up or refused, and of which nobody has reported anything; the longest waiting first.
select case_id, procedure, stage, snapshot #>> '{orders,-1,department}' as department,
       snapshot #>> '{orders,-1,refused}' as code, (snapshot #>> '{orders,-1,dispatched_at}')::timestamptz as dispatched_at
from cases
where not ended and closed_at is null and snapshot #>> '{orders,-1,refused}' is not null
  and snapshot #>> '{orders,-1,result}' is null
order by updated_at
limit $1;
