-- Models of dispatch (engine/migrations/20261203000080_dispatch_models.sql), and the closed cases that they are learned from.

-- name: lock
-- One learns at a time, until the transaction ends.
select pg_advisory_xact_lock(hashtext('dispatch_models'));

-- name: keep
-- The next version of these bytes, unless a model with this digest is kept already.
insert into dispatch_models (version, sha256, learned_at, source, source_sha256, texts, scores, model)
select coalesce(max(version), 0) + 1, $1, $2, $3, $4, $5, $6, $7 from dispatch_models
on conflict (sha256) do nothing
returning version;

-- name: newest
-- Which model is in use: the last one that was learned.
select version, sha256 from dispatch_models order by version desc limit 1;

-- name: bytes_of
-- The bytes of a model by its digest.
select version, sha256, model from dispatch_models where sha256 = $1;

-- name: listed
-- Every model, the newest first, without its bytes.
select version, sha256, learned_at, source, source_sha256, texts, scores, octet_length(model) as bytes
from dispatch_models order by version desc;

-- name: named_and_gone
-- Cases, of these or of all, that name a model which is not kept.
select case_id, snapshot -> 'proposed' ->> 'model' as model from cases
where snapshot ? 'proposed' and ($1::text[] is null or case_id = any($1))
  and not exists (select from dispatch_models where sha256 = snapshot -> 'proposed' ->> 'model')
order by case_id;

-- name: closed_cases
-- The newest $2 cases of a procedure that were closed with a category of the list, never given back or given to another department
-- than the one that the list names: what somebody did by it. Not what a model chose and nobody rated as solved.
select case_id, category, area, snapshot ->> 'description' as description, labels ->> 'channel' as channel,
       coalesce(snapshot ->> 'reporter', case_id) as who, (snapshot ->> 'on_behalf')::boolean as on_behalf,
       reporter_subject is null as unsigned
from cases
where procedure = $1 and stage = 'closed' and (snapshot ->> 'listed')::boolean
  and (snapshot ->> 'returns')::integer = 0
  and department = snapshot -> 'responsibility' ->> 'department'
  and (coalesce(snapshot -> 'proposed' ->> 'taken', 'given') = 'given' or (rated and solved = 'solved'))
order by opened_at desc, case_id desc
limit $2;
