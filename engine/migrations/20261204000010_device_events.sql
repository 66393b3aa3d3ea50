-- migrate:up

-- Every event of a device that became a command of a file, for ever, also when that file has ended: a platform that says the same again
-- after years, or when the device is another person's, raises no second alarm (starter/care_devices.py).
create table device_events (
    platform     text not null,
    event        text not null,                                   -- the platform's own number of it
    case_id      text,                                            -- none: refused; when it comes again, it is asked anew whose the device is
    attempt      integer not null default 1,                      -- one more after each refusal: each is given as a command of its own
    received_at  timestamptz not null default clock_timestamp(),
    primary key (platform, event)
);

-- migrate:down

drop table device_events;
