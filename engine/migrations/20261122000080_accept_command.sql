-- migrate:up

-- Accept a command for a case, in one statement: the new row, leased to the accepting process at once unless others of its
-- case wait before it; or the row that is there already under the key, which has another `submission`. One acceptance
-- per case at a time, so that the order of numbers is the order of acceptance.
create function accept_command(
    of_submission text, of_kind text, named text, of_procedure text, of_case text, of_subject text, in_scope text,
    by_key bytea, of_body bytea, to_deliver jsonb, lease interval
) returns setof intake
language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('intake ' || of_case, 0));

    return query
    insert into intake (submission, kind, command, procedure, case_id, subject, scope, key, body_digest, payload,
                        leased_until, attempts)
    select of_submission, of_kind, named, of_procedure, of_case, of_subject, in_scope, by_key, of_body, to_deliver,
           case when first then clock_timestamp() + lease end,
           case when first then 1 else 0 end
    from (
        select not exists (select from intake as before where before.case_id = of_case and before.status = 'waiting') as first
    ) as place
    on conflict (subject, scope, key) do nothing
    returning *;

    if not found then
        return query
        select * from intake as known
        where known.subject = of_subject and known.scope = in_scope and known.key = by_key;
    end if;
end
$$;

-- migrate:down

drop function accept_command;
