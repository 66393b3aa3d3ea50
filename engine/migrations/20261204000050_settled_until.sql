-- migrate:up

-- How far the tables that only grow were looked through for what is settled (engine/queries/settled.sql).
create table settled_until (
    of_table  text primary key check (of_table in ('intake', 'outbox')),
    up_to     bigint not null
);

-- migrate:down

drop table settled_until;
