-- Which facts of which entries, and which fields of which states, refer to what (schemas/kernel/reference_facts.py).

-- name: declare
-- What procedures declare, one row each.
insert into fact_references as known (kind, path, refers)
select * from unnest($1::text[], $2::text[], $3::text[])
on conflict (kind, path) do update set refers = excluded.refers where known.refers <> excluded.refers;
