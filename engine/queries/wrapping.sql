-- Wrapping the keys of persons with another master key.

-- name: persons_wrapped_otherwise
-- Persons after one, whose keys are wrapped with another master key; held, and without those that somebody else holds.
select person_id, wrapped_key, master_key_id from persons
where wrapped_key is not null and master_key_id <> $1 and person_id > $2
order by person_id limit $3 for update skip locked;

-- name: rewrap_persons
-- Put the keys in their place, wrapped anew.
update persons set wrapped_key = new.wrapped_key, master_key_id = $3
from unnest($1::text[], $2::bytea[]) as new (person_id, wrapped_key)
where persons.person_id = new.person_id;

-- name: count_wrapped
-- How many persons' keys are wrapped with a master key.
select count(*) from persons where wrapped_key is not null and master_key_id = $1;

-- name: count_wrapped_otherwise
-- How many persons' keys are wrapped with any other.
select count(*) from persons where wrapped_key is not null and master_key_id <> $1;

-- name: let_nobody_wrap
-- Nobody adds or changes a person until the transaction ends; who is doing so is waited for.
lock table persons in share row exclusive mode;
