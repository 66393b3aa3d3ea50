-- migrate:up

-- Any part of a case number finds the case, also among a million. The numbers stand beside `cases`, because each word of
-- a case writes its row anew and would write the trigrams anew with it; a number is written once.
create extension if not exists pg_trgm schema public;  -- one for all schemas of a database
create table searched_numbers (case_id text primary key);
create index searched_numbers_by_part on searched_numbers using gin (case_id public.gin_trgm_ops);
insert into searched_numbers (case_id) select case_id from cases;

create function keep_searched_number() returns trigger language plpgsql as $$
begin
    insert into searched_numbers (case_id) values (new.case_id) on conflict do nothing;
    return null;
end
$$;
create trigger case_is_searched after insert on cases for each row execute function keep_searched_number();

-- The pattern of what has a part somewhere, whatever signs stand in the part.
create function anywhere(part text) returns text language sql immutable as $$
    select '%' || regexp_replace(lower(part), '([\\%_])', '\\\1', 'g') || '%'
$$;

-- migrate:down

drop function anywhere;
drop trigger case_is_searched on cases;
drop function keep_searched_number;
drop table searched_numbers;
