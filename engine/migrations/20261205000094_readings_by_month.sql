-- migrate:up

-- The record of who read what of persons in partitions, by the month in which it was read (docs/decisions/0019-the-ledger-lies-in-months.md).
-- Nothing identifies a reading but its number, which is given out for the whole table; the key of a partition is over that alone.
do $$
declare
    bound constant text not null = (
        select substring(pg_get_constraintdef(oid) from '< ''([^'']+)''')
        from pg_constraint where conrelid = 'vault_reads'::regclass and conname = 'vault_reads_months'
    );
begin
    -- Its two foreign keys are made anew for the whole: for that moment nobody keeps a person or an item.
    perform with_brief_lock(
        'lock table vault_reads in access exclusive mode; lock table persons, vault_items in share row exclusive mode'
    );
    alter table vault_reads alter column read_id drop identity;
    alter table vault_reads rename to vault_reads_first;
    alter index vault_reads_pkey rename to vault_reads_first_pkey;
    alter index vault_reads_of_person rename to vault_reads_first_of_person;
    alter index vault_reads_of_reader rename to vault_reads_first_of_reader;
    create table vault_reads (
        like vault_reads_first including defaults including storage including compression,
        foreign key (person_id) references persons,
        foreign key (item_id) references vault_items
    ) partition by range (at);
    alter table vault_reads alter column read_id add generated always as identity;
    perform setval(pg_get_serial_sequence('vault_reads', 'read_id'), (select coalesce(max(read_id), 0) + 1 from vault_reads_first), false);
    create index vault_reads_of_person on vault_reads (person_id, at);
    create index vault_reads_of_reader on vault_reads (who, at);
    create trigger vault_reads_only_grow before update or delete or truncate on vault_reads
        for each statement execute function refuse_change_of_vault_reads();
    alter table vault_reads enable always trigger vault_reads_only_grow;
    perform carry_over('vault_reads_first', 'vault_reads');
    execute format('alter table vault_reads attach partition vault_reads_first for values from (minvalue) to (%L)', bound);
end
$$;

select make_partition('vault_reads', 'vault_reads_other', 'read_id');
alter table vault_reads attach partition vault_reads_other default;

-- As make_ledger_months, by the real month: when a reading is taken down is no town time.
create function make_reading_months(ahead integer) returns integer language plpgsql as $$
declare
    month timestamptz = date_trunc('month', now() at time zone 'UTC') at time zone 'UTC';
    following timestamptz;
    made integer = 0;
    partition text;
begin
    perform pg_advisory_xact_lock(hashtextextended('reading months', 0));
    for step in 0..ahead loop
        following = (month at time zone 'UTC' + interval '1 month') at time zone 'UTC';
        if not exists (
            select from (
                select substring(bounds from ' FROM \(''([^'']+)''\)')::timestamptz as first,
                       substring(bounds from ' TO \(''([^'']+)''\)')::timestamptz as after
                from (
                    select pg_get_expr(relpartbound, oid) as bounds
                    from pg_inherits join pg_class on oid = inhrelid where inhparent = 'vault_reads'::regclass
                ) as said
            ) as part
            where (part.first is null or part.first < following) and part.after > month
        ) and not exists (select from vault_reads_other where at >= month and at < following) then
            partition = to_char(month at time zone 'UTC', '"vault_reads_"YYYYMM');
            perform make_partition('vault_reads', partition, 'read_id');
            execute format('alter table vault_reads attach partition %I for values from (%L) to (%L)', partition, month, following);
            made = made + 1;
        end if;
        month = following;
    end loop;
    return made;
end
$$;

select make_reading_months(3);

-- migrate:down

do $$
begin
    lock table vault_reads in access exclusive mode;
    alter table vault_reads rename to vault_reads_partitions;
    create table vault_reads (
        read_id    bigint generated always as identity,
        at         timestamptz not null default clock_timestamp(),
        who        text not null,
        role       text not null,
        person_id  text not null references persons,
        item_id    text not null references vault_items,
        purpose    text not null,
        case_id    text
    );
    insert into vault_reads overriding system value select * from vault_reads_partitions;
    perform setval(pg_get_serial_sequence('vault_reads', 'read_id'), (select coalesce(max(read_id), 0) + 1 from vault_reads), false);
    drop table vault_reads_partitions;
    alter table vault_reads add primary key (read_id);
end
$$;
create index vault_reads_of_person on vault_reads (person_id, at);
create index vault_reads_of_reader on vault_reads (who, at);
create trigger vault_reads_only_grow before update or delete or truncate on vault_reads
    for each statement execute function refuse_change_of_vault_reads();
alter table vault_reads enable always trigger vault_reads_only_grow;
drop function make_reading_months;
