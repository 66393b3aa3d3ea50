-- What auditors read of a case beside its entries, and the clocks of many cases.

-- name: chain_of_case
-- The entries that count, in order; also where the month of the case was taken away from the ledger, and stands beside it.
with recursive gone as materialized (
    select * from detached_entries($1)
), back as (
    select gone.* from gone join cases using (case_id) where gone.seq = cases.seq and gone.hash = cases.head_hash
    union all
    select gone.* from gone join back on gone.seq = back.seq - 1 and gone.hash = back.prev_hash
)
select body, hash
from (select seq, body, hash from chain_of($1) union all select seq, body, hash from back) as entry order by seq;

-- name: beside_the_chain
-- How many entries of a case stand beside its chain.
select count(*)::integer - (select count(*)::integer from chain_of($1)) from ledger_of($1);

-- name: case_row
-- The case as it last told of itself.
select procedure, snapshot from cases where case_id = $1;

-- name: refused_of_case
-- What was tried and refused, in order.
select at, command, subject, role, department, code, stage from refusals where case_id = $1 order by at, refusal_id;

-- name: readings_of_case
-- Who read what of the persons of a case: for the case, or under another name one of the items ($2) that stand in it and were
-- kept in it, in its parts and wholes, or in a case that told it ($3, by their numbers without parts).
select reads.read_id, reads.at, reads.who, reads.role, reads.person_id as person, items.kind, reads.purpose, reads.case_id
from (
    select * from vault_reads where case_id = $1
    union
    select * from vault_reads
    where person_id in (select person_id from vault_items where item_id = any($2::text[]))
      and item_id in (select item_id from vault_items
                      where item_id = any($2::text[]) and (case_id is null or split_part(case_id, '.', 1) = any($3::text[])))
) as reads
join vault_items as items using (item_id)
order by reads.at, reads.read_id;

-- name: recorded_clocks
-- The cases whose clocks are judged: opened from $1 on and before $2, of these procedures, in order.
select procedure, snapshot from cases
where ($1::timestamptz is null or opened_at >= $1) and ($2::timestamptz is null or opened_at < $2)
  and procedure = any($3::text[])
order by case_id;
