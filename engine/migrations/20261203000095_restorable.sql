-- migrate:up

-- pg_restore puts rows back with no schema on the path. A column that is made by a function of ours calls others of ours: without
-- a path of their own they are not found then, and the dump of a town is none that can be put back.
do $$
declare each regprocedure;
begin
    for each in
        select oid::regprocedure from pg_proc
        where pronamespace = current_schema()::regnamespace
          and proname in ('clock_kept', 'clock_stopped_by_somebody', 'clock_stopped_first', 'clock_stopped_last',
                          'clock_tiers', 'clock_warns')
    loop
        execute format('alter function %s set search_path from current', each);
    end loop;
end $$;

-- migrate:down

do $$
declare each regprocedure;
begin
    for each in
        select oid::regprocedure from pg_proc
        where pronamespace = current_schema()::regnamespace
          and proname in ('clock_kept', 'clock_stopped_by_somebody', 'clock_stopped_first', 'clock_stopped_last',
                          'clock_tiers', 'clock_warns')
    loop
        execute format('alter function %s reset search_path', each);
    end loop;
end $$;
