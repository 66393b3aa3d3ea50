-- migrate:up

-- A reference is what its field declares. Which facts of which entries, and which fields of which states, refer to texts, persons
-- and documents; a worker tells the database what its procedures declare (engine/store/fact_references.py), so a new one needs no
-- migration. `path` as in schemas/kernel/reference_facts.py: `document.reference`, `documents[].reference`, `results.*`.
create table fact_references (
    kind    text not null,                            -- of an entry; or a procedure, for the state of its cases
    path    text not null,
    refers  text not null check (refers in ('text', 'person', 'document')),
    primary key (kind, path)
);

insert into fact_references (kind, path, refers) values
    ('incident:commented', 'text', 'text'),
    ('incident:attached', 'document.reference', 'document'),
    ('incident:attached', 'note', 'text'),
    ('incident:reported', 'category_given', 'text'),
    ('incident:reported', 'description', 'text'),
    ('incident:reported', 'address', 'text'),
    ('incident:reported', 'reporter', 'person'),
    ('incident:redispatched', 'reason', 'text'),
    ('incident:returned', 'reason', 'text'),
    ('incident:returned', 'legal_basis', 'text'),
    ('incident:arbitrated', 'reason', 'text'),
    ('incident:finished', 'result', 'text'),
    ('incident:finished', 'documents[].reference', 'document'),
    ('incident:verification_failed', 'reason', 'text'),
    ('incident:rated', 'comment', 'text'),
    ('incident:reopened', 'reason', 'text'),
    ('incident:withdrawn', 'reason', 'text'),
    ('incident:rejected', 'reason', 'text'),
    ('incident:unresolved', 'reason', 'text'),
    ('incident:extension:requested', 'reason', 'text'),
    ('incident:extension:refused', 'reason', 'text'),
    ('incident:suspension:requested', 'reason', 'text'),
    ('incident:suspension:granted', 'reason', 'text'),
    ('incident:suspension:refused', 'reason', 'text'),
    ('incident:supervised', 'order', 'text'),
    ('incident:supervision_answered', 'answer', 'text'),
    ('incident:merged', 'reason', 'text'),
    ('incident:whistle:asked', 'reason', 'text'),
    ('incident:whistle:goes_on', 'reason', 'text'),
    ('incident:whistle:ended', 'results.*', 'text'),
    ('incident', 'documents[].reference', 'document'),
    ('incident', 'category_given', 'text'),
    ('incident', 'description', 'text'),
    ('incident', 'address', 'text'),
    ('incident', 'reporter', 'person'),
    ('incident', 'orders[].result', 'text'),
    ('incident', 'orders[].documents[]', 'document'),
    ('incident', 'rework_orders[].reason', 'text'),
    ('incident', 'extension.reason', 'text'),
    ('incident', 'suspension', 'text'),
    ('whistle:commented', 'text', 'text'),
    ('whistle:attached', 'document.reference', 'document'),
    ('whistle:attached', 'note', 'text'),
    ('whistle:blown', 'matter', 'text'),
    ('whistle:blown', 'address', 'text'),
    ('whistle:summoned', 'reason', 'text'),
    ('whistle:department_reported', 'result', 'text'),
    ('whistle:lead_handed_over', 'reason', 'text'),
    ('whistle:scored', 'reason', 'text'),
    ('whistle:cancelled', 'reason', 'text'),
    ('whistle', 'documents[].reference', 'document'),
    ('whistle', 'matter', 'text'),
    ('whistle', 'address', 'text'),
    ('whistle', 'summoned[].result', 'text'),
    ('whistle', 'summoned[].score_reason', 'text'),
    ('summons:commented', 'text', 'text'),
    ('summons:attached', 'document.reference', 'document'),
    ('summons:attached', 'note', 'text'),
    ('summons:summoned', 'matter', 'text'),
    ('summons:summoned', 'address', 'text'),
    ('summons:declined', 'reason', 'text'),
    ('summons:declined', 'legal_basis', 'text'),
    ('summons:ruled', 'reason', 'text'),
    ('summons:finished', 'result', 'text'),
    ('summons:finished', 'documents[].reference', 'document'),
    ('summons:scored', 'reason', 'text'),
    ('summons', 'documents[].reference', 'document'),
    ('summons', 'matter', 'text'),
    ('summons', 'address', 'text'),
    ('summons', 'result', 'text'),
    ('summons', 'evidence[]', 'document'),
    ('summons', 'orders[].result', 'text'),
    ('welfare:commented', 'text', 'text'),
    ('welfare:attached', 'document.reference', 'document'),
    ('welfare:attached', 'note', 'text'),
    ('welfare:applied', 'applicant', 'person'),
    ('welfare:applied', 'members[]', 'person'),
    ('welfare:applied', 'account', 'text'),
    ('welfare:applied', 'address', 'text'),
    ('welfare:applied', 'reason', 'text'),
    ('welfare:applied', 'relation', 'text'),
    ('welfare:applied', 'documents.*', 'document'),
    ('welfare:correction:asked', 'reason', 'text'),
    ('welfare:handed_in', 'document.reference', 'document'),
    ('welfare:facts_corrected', 'reason', 'text'),
    ('welfare:relation_declared', 'relation', 'text'),
    ('welfare:check:recorded', 'note', 'text'),
    ('welfare:visited', 'finding', 'text'),
    ('welfare:reviewed', 'opinion', 'text'),
    ('welfare:publicity:objected', 'reason', 'text'),
    ('welfare:publicity:objected', 'contact', 'text'),
    ('welfare:publicity:investigated', 'finding', 'text'),
    ('welfare:publicity:investigated', 'appraisal', 'text'),
    ('welfare:confirmed', 'opinion', 'text'),
    ('welfare:sent_back', 'reason', 'text'),
    ('welfare:extended', 'reason', 'text'),
    ('welfare:refused', 'reason', 'text'),
    ('welfare:refused', 'legal_basis', 'text'),
    ('welfare:appealed', 'reason', 'text'),
    ('welfare:appealed', 'against', 'text'),
    ('welfare:appeal_decided', 'reason', 'text'),
    ('welfare:appeal_decided', 'legal_basis', 'text'),
    ('welfare:withdrawn', 'reason', 'text'),
    ('welfare:payment:retried', 'account', 'text'),
    ('welfare:payment:settled', 'reason', 'text'),
    ('welfare:account_changed', 'account', 'text'),
    ('welfare:change_reported', 'note', 'text'),
    ('welfare:suspended', 'reason', 'text'),
    ('welfare:resumed', 'reason', 'text'),
    ('welfare:reassessed', 'opinion', 'text'),
    ('welfare:reassessed', 'legal_basis', 'text'),
    ('welfare:ended', 'reason', 'text'),
    ('welfare:ended', 'legal_basis', 'text'),
    ('welfare', 'documents[].reference', 'document'),
    ('welfare', 'reporter', 'person'),
    ('welfare', 'members[]', 'person'),
    ('welfare', 'account', 'text'),
    ('welfare', 'address', 'text'),
    ('welfare', 'reason', 'text'),
    ('welfare', 'relation', 'text'),
    ('welfare', 'papers.*', 'document'),
    ('welfare', 'visits[].finding', 'text'),
    ('welfare', 'refusal', 'text'),
    ('recovery:commented', 'text', 'text'),
    ('recovery:attached', 'document.reference', 'document'),
    ('recovery:attached', 'note', 'text'),
    ('recovery:demanded', 'debtor', 'person'),
    ('recovery:write_off:proposed', 'reason', 'text'),
    ('recovery:write_off:declined', 'reason', 'text'),
    ('recovery', 'documents[].reference', 'document'),
    ('recovery', 'reporter', 'person'),
    ('recovery', 'write_off_reason', 'text');

-- The references in the facts of an entry of this kind, or in the state of a case of this procedure, where they are declared.
create function references_in(of_kind text, facts jsonb) returns table (reference text, refers text) language sql stable as $$
    select value #>> '{}', declared.refers
    from fact_references as declared,
         jsonb_path_query(facts, ('$.' || replace(declared.path, '[]', '[*]'))::jsonpath) as value
    where declared.kind = of_kind
      and jsonb_typeof(value) = 'string'
      and (value #>> '{}') ~ ('^' || declared.refers || ':[0-9A-HJKMNP-TV-Z]{26}$')
$$;

create or replace function note_documents_of_entry() returns trigger language plpgsql as $$
begin
    insert into document_cases (document_id, case_id)
    select distinct named.reference, new.case_id
    from references_in(new.kind, new.body::jsonb -> 'facts') as named
    where named.refers = 'document'
    on conflict do nothing;
    return null;
end
$$;

-- The case in which a text was kept: only there, in its parts, and in the cases that it was told on to, is it given out. Null for
-- what belongs to no case: documents, which stand in cases by their entries, and what is known of a person.
alter table vault_items add column case_id text;

-- Of texts from before: the case of the submission with which they came in, which is the first that names them - nobody knows a
-- reference before it is told; where no submission is left, the case whose entry named it first.
update vault_items set case_id = told.case_id
from (
    select distinct on (item_id) item_id, case_id
    from (
        select named[1] as item_id, case_id, 1 as source, intake_id as place
        from intake, regexp_matches(payload::text, '"(text:[0-9A-HJKMNP-TV-Z]{26})"', 'g') as named
        where payload is not null and case_id is not null
        union all
        select named.reference, case_id, 2, (extract(epoch from written_at) * 1000000)::bigint
        from ledger, references_in(kind, body::jsonb -> 'facts') as named
        where body like '%"text:%' and named.refers = 'text'
    ) as each
    order by item_id, source, place
) as told
where vault_items.item_id = told.item_id;

-- The persons whom facts name, by their own reference or by that of a text or document of theirs. A text of another case names
-- nobody here, unless the entry says from which case it was told: a whistle to the incident that waits for it.
create function persons_named(of_kind text, facts jsonb, in_case text, words text) returns setof text language sql stable as $$
    select distinct coalesce(item.person_id, named.reference)
    from references_in(of_kind, facts) as named left join vault_items as item on item.item_id = named.reference
    where named.refers = 'person'
       or item.person_id is not null
          and (item.case_id is null
               or split_part(item.case_id, '.', 1) = split_part(in_case, '.', 1)
               or strpos(words, '"' || split_part(item.case_id, '.', 1) || '"') > 0)
$$;

create or replace function note_persons_of_entry() returns trigger language plpgsql as $$
begin
    insert into person_cases (person_id, case_id)
    select person, new.case_id from persons_named(new.kind, new.body::jsonb -> 'facts', new.case_id, new.body) as person
    on conflict do nothing;
    return null;
end
$$;

create or replace function note_persons_of_case() returns trigger language plpgsql as $$
begin
    insert into person_cases (person_id, case_id)
    select person, new.case_id from persons_named(new.procedure, new.snapshot, new.case_id, '') as person
    on conflict do nothing;
    return null;
end
$$;

-- What was noted because it looked like a reference is noted anew, as it is declared. The ledger has every entry there ever was.
delete from document_cases;
insert into document_cases (document_id, case_id)
select distinct named.reference, case_id
from ledger, references_in(kind, body::jsonb -> 'facts') as named
where body like '%"document:%' and named.refers = 'document';

delete from person_cases;
insert into person_cases (person_id, case_id)
select person, case_id
from ledger, persons_named(kind, body::jsonb -> 'facts', case_id, body) as person where body ~ '"(person|text|document):'
union
select person, case_id from cases, persons_named(procedure, snapshot, case_id, '') as person;

-- migrate:down

alter table vault_items drop column case_id;

create or replace function note_documents_of_entry() returns trigger language plpgsql as $$
begin
    insert into document_cases (document_id, case_id)
    select distinct named[1], new.case_id
    from regexp_matches(new.body, '"(document:[0-9A-HJKMNP-TV-Z]{26})"', 'g') as named
    on conflict do nothing;
    return null;
end
$$;

create or replace function note_persons_of_entry() returns trigger language plpgsql as $$
begin
    insert into person_cases (person_id, case_id) select person, new.case_id from persons_in(new.body) as person
    on conflict do nothing;
    return null;
end
$$;

create or replace function note_persons_of_case() returns trigger language plpgsql as $$
begin
    insert into person_cases (person_id, case_id) select person, new.case_id from persons_in(new.snapshot::text) as person
    on conflict do nothing;
    return null;
end
$$;

drop function persons_named;
drop function references_in;
drop table fact_references;
