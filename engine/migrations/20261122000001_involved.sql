-- migrate:up

-- The departments that hold a case or held it, and therefore see it: told by the case, for every procedure alike.
alter table cases add column involved text[] not null default '{}';
update cases set involved = array(
    select distinct department_code
    from (
        select department as department_code
        union all
        select orders ->> 'department' from jsonb_array_elements(coalesce(snapshot -> 'orders', '[]')) as given (orders)
    ) as held
    where department_code is not null
    order by department_code
);
create index cases_by_involved on cases using gin (involved);
drop index cases_by_order;

-- migrate:down

create index cases_by_order on cases using gin ((snapshot -> 'orders') jsonb_path_ops);
drop index cases_by_involved;
alter table cases drop column involved;
