-- Filters of lists that staff gave a name.

-- name: keep_filter
-- Keep a filter under a name of its owner, in place of the one that had it; no row where the owner has as many as $7.
-- Arguments: owner, role, department, name, query, shared, how many somebody may have.
insert into saved_filters (owner, role, department, name, query, shared)
select $1, $2, $3, $4, $5, $6
where (select count(*) from saved_filters where owner = $1 and name <> $4) < $7::integer
on conflict (owner, name) do update
set role = excluded.role, department = excluded.department, query = excluded.query, shared = excluded.shared
returning filter_id;

-- name: filters_of
-- The filters of an account ($1), and those that others share with its role ($2) and department ($3): its own first.
select filter_id, name, query, shared, owner = $1 as own from saved_filters
where owner = $1 or (shared and role = $2 and department is not distinct from $3)
order by owner <> $1, name, filter_id
limit 200;

-- name: drop_filter
-- Delete a filter of an account; somebody else's stays.
delete from saved_filters where filter_id = $1 and owner = $2 returning filter_id;
