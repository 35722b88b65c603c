-- The past: what every transaction since the founding changed, so that a past instant can be read as it was. undo says how to get from what
-- was after the transaction to what was before it; layout: internal/ledger/undo. The records of other kinds than finding need none: revisions has all
-- that they ever said.
CREATE TABLE history (
  id   INTEGER PRIMARY KEY,
  at   INTEGER NOT NULL,
  undo BLOB    NOT NULL
);

-- A file that was founded by an earlier version has no history before its last transaction.
INSERT INTO meta (name, value)
  SELECT 'history', a.value FROM meta a JOIN meta f ON f.name = 'founded' AND f.value <> '0' WHERE a.name = 'at';

-- The order of the configuration decides between catalogs, and for how long (in nanoseconds) records are believed decides what is shown.
ALTER TABLE sources ADD COLUMN position    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN stale_after INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN stale_from  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN classes     TEXT    NOT NULL DEFAULT '';

-- What the change did to the headline numbers: JSON, by metric, the value under the new rules less the value under the old ones.
ALTER TABLE counting_changes ADD COLUMN restated TEXT NOT NULL DEFAULT '';
