-- migrate:up

-- Who may take the ballot of which unit online (schemas/parts/shown_votes.py), as the committee's register says it: `person` is a keyed
-- digest of vote and person, another one in each vote, so that nobody tells from two votes that it is the same. What was taken, and
-- what was chosen, stands in no table of the town. It goes with the end of the vote.
create table voters (
    case_id text not null,
    unit    text not null,
    person  bytea not null,
    primary key (case_id, person, unit)
);

create function forget_voters() returns trigger language plpgsql as $$
begin
    delete from voters where case_id = new.case_id;
    return null;
end
$$;
create trigger cases_forget_voters after update of ended on cases
    for each row when (new.ended and not old.ended) execute function forget_voters();

-- migrate:down

drop trigger cases_forget_voters on cases;
drop function forget_voters;
drop table voters;
