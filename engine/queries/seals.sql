-- Seals and the leaves of their trees.

-- name: hold_seals
-- One seal is made at a time.
lock table seals in exclusive mode;

-- name: newest_seal
-- The last seal.
select number, body, signature, hash from seals order by number desc limit 1;

-- name: all_seals
-- All seals, the first one first.
select number, body, signature, hash from seals order by number;

-- name: insert_seal
-- One seal.
insert into seals (number, body, signature, hash) values ($1, $2, $3, $4);

-- name: heads_and_runs
-- What a seal is over: the head of every chain, every archived run, and every month that was taken away from the ledger.
select 'head' as kind, case_id, seq::text as place, head_hash as hash from cases
union all
select 'run', case_id, run_id || '/' || events, manifest_hash from archive
union all
select 'month', '', partition, detached_hash(ledger_detached) from ledger_detached;

-- name: live_leaves
-- What the last seal was over.
select kind, case_id, place, hash from sealed_leaves where last_seal is null;

-- name: insert_leaf
-- A leaf, from the seal on in which it stands first.
insert into sealed_leaves (kind, case_id, place, hash, first_seal) values ($1, $2, $3, $4, $5);

-- name: close_leaf
-- The last seal in which a leaf stands.
update sealed_leaves set last_seal = $5
where kind = $1 and case_id = $2 and place = $3 and hash = $4 and last_seal is null;

-- name: all_leaves
-- Every leaf of every seal.
select kind, case_id, place, hash, first_seal, last_seal from sealed_leaves;

-- name: leaves_of_case
-- What seals hold of a case.
select kind, case_id, place, hash, first_seal, last_seal from sealed_leaves where case_id = $1 order by first_seal, kind;

-- name: leaves_of_seal
-- What one seal was over.
select kind, case_id, place, hash from sealed_leaves where first_seal <= $1 and (last_seal is null or last_seal >= $1);
