-- Beside `temporal`, which the image makes: what Temporal's lists are kept in. Run once, at the first start of the volume.
create database temporal_visibility;
