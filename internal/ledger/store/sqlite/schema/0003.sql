-- From when a revision holds by its source, which may be before it was observed (valid_from); 0 is as far back as its own dates tell. What an
-- earlier version wrote after the founding holds from when it was observed, the first revision of a record as far back as it tells.
ALTER TABLE revisions ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
UPDATE revisions SET since = valid_from
  WHERE revision > 1 AND valid_from > coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'founded' AND value <> '0'), 9223372036854775807);
