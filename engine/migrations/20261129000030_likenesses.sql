-- migrate:up

-- Somebody who says that a benefit is theirs holds it against nobody until it is sure who they are (decision 0009).
alter table reservations drop constraint reservations_hold_check;
alter table reservations add constraint reservations_hold_check
    check (hold in ('own', 'stated', 'consented', 'counted', 'named'));

-- By what staff find that two living cases may speak of one person: a keyed digest of the name and the day of birth as they
-- were stated. It refuses nothing. Gone with the person who is erased, and looked at while the case lives only.
create table likenesses (
    digest   bytea not null,
    person   text not null references persons (person_id),
    case_id  text not null,
    primary key (digest, person, case_id)
);
create index likenesses_of_case on likenesses (case_id);
create index likenesses_of_person on likenesses (person);

create function forget_likenesses() returns trigger language plpgsql as $$
begin
    delete from likenesses where person = new.person_id;
    return null;
end
$$;
create trigger persons_forget_likenesses after update on persons for each row
    when (old.erased_at is null and new.erased_at is not null)
    execute function forget_likenesses();

-- Which living cases a file stands in, by the digest of the file.
create index cases_files on cases using gin ((snapshot -> 'documents') jsonb_path_ops)
    where procedure = 'welfare' and not ended;

-- migrate:down

drop index cases_files;
drop trigger persons_forget_likenesses on persons;
drop function forget_likenesses;
drop table likenesses;
update reservations set hold = 'named' where hold = 'stated';
alter table reservations drop constraint reservations_hold_check;
alter table reservations add constraint reservations_hold_check
    check (hold in ('own', 'consented', 'counted', 'named'));
