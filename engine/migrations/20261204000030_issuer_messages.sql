-- migrate:up

-- Every message of an issuer of warnings, by area and for ever: the same number again does nothing, a cancel that comes before its alert
-- keeps that from starting anything, and what refers to an earlier message finds its case (starter/warning_feed.py).
create table issuer_messages (
    issuer       text not null,
    identifier   text not null,                                   -- the issuer's own number of it
    area         text not null,                                   -- `drill AREA` of one that is a drill
    case_id      text,                                            -- the warning that it is of; none: nothing was started by it
    heard        boolean not null,                                -- it has come itself, and not only been referred to
    sent         timestamptz,                                     -- when its issuer sent it; none: only referred to
    cancelled_at timestamptz,                                     -- when the latest cancel that referred to it was sent
    received_at  timestamptz not null default clock_timestamp(),
    primary key (issuer, identifier, area)
);

-- migrate:down

drop table issuer_messages;
