-- First schema of the ledger. Times are Unix seconds. A finding's JSON body is what its source said last; see the view
-- "evidence" for everything that is held, in one place.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

-- What the code numbers inside blocks mean: enumerations are stored by name.
CREATE TABLE codes (
  enumeration TEXT    NOT NULL,
  code        INTEGER NOT NULL,
  name        TEXT    NOT NULL,
  PRIMARY KEY (enumeration, code)
) WITHOUT ROWID;

CREATE TABLE strings (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL
);

CREATE TABLE owners (
  id            INTEGER PRIMARY KEY,
  business_unit TEXT NOT NULL,
  team          TEXT NOT NULL,
  service       TEXT NOT NULL,
  trust_tier    TEXT NOT NULL
);

-- Names that have a place in the snapshot: services and repositories. What leaves keeps its row, so that nothing else is
-- ever given its number.
CREATE TABLE names (
  roster  TEXT    NOT NULL,
  id      INTEGER NOT NULL,
  name    TEXT    NOT NULL,
  removed INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (roster, id)
) WITHOUT ROWID;

CREATE TABLE sources (
  collector TEXT NOT NULL,
  instance  TEXT NOT NULL,
  PRIMARY KEY (collector, instance)
) WITHOUT ROWID;

CREATE TABLE scopes (
  id           INTEGER PRIMARY KEY,
  collector    TEXT    NOT NULL,
  instance     TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  removed      INTEGER NOT NULL DEFAULT 0,
  cursor       TEXT    NOT NULL DEFAULT '',
  classes      TEXT    NOT NULL DEFAULT '',
  kinds        TEXT    NOT NULL DEFAULT '',
  left_out     INTEGER NOT NULL DEFAULT 0,
  last_attempt INTEGER NOT NULL DEFAULT 0,
  last_success INTEGER NOT NULL DEFAULT 0,
  last_full    INTEGER NOT NULL DEFAULT 0,
  last_error   TEXT    NOT NULL DEFAULT ''
);

-- Every report of a finding, open, closed or gone. id is the source's own.
CREATE TABLE findings (
  report         INTEGER PRIMARY KEY,
  weakness       INTEGER NOT NULL,
  scope          INTEGER NOT NULL REFERENCES scopes (id),
  id             TEXT    NOT NULL,
  first_observed INTEGER NOT NULL,
  changed_at     INTEGER NOT NULL,
  gone_at        INTEGER,
  body           TEXT    NOT NULL
);

-- Every record of any other kind. owner was frozen when it was first observed.
CREATE TABLE records (
  record         INTEGER PRIMARY KEY,
  kind           TEXT    NOT NULL,
  scope          INTEGER NOT NULL REFERENCES scopes (id),
  id             TEXT    NOT NULL,
  owner          INTEGER NOT NULL,
  first_observed INTEGER NOT NULL,
  changed_at     INTEGER NOT NULL,
  gone_at        INTEGER
);

-- What a record said over time: body held from valid_from until valid_to (exclusive; NULL while it holds).
CREATE TABLE revisions (
  record     INTEGER NOT NULL REFERENCES records (record),
  valid_from INTEGER NOT NULL,
  revision   INTEGER NOT NULL,
  valid_to   INTEGER,
  body       TEXT    NOT NULL,
  PRIMARY KEY (record, revision)
) WITHOUT ROWID;

-- Compact state in blocks of 64 entries, each about one page, so that a million entries are read at start in a second and a
-- change costs one page. Layout: internal/ledger/derivation/blocks.go.
CREATE TABLE report_blocks (
  number INTEGER PRIMARY KEY,
  body   BLOB NOT NULL
);
CREATE TABLE weakness_blocks (
  number INTEGER PRIMARY KEY,
  body   BLOB NOT NULL
);
CREATE TABLE event_blocks (
  number INTEGER PRIMARY KEY,
  body   BLOB NOT NULL
);

CREATE TABLE pauses (
  weakness INTEGER PRIMARY KEY,
  spans    TEXT NOT NULL
);

-- Verdicts from first_event on (a position among all events) fell under this version.
CREATE TABLE policies (
  id          INTEGER PRIMARY KEY,
  version     TEXT    NOT NULL,
  since       INTEGER NOT NULL,
  first_event INTEGER NOT NULL,
  config      TEXT    NOT NULL
);

CREATE TABLE counting_changes (
  id   INTEGER PRIMARY KEY,
  kind TEXT    NOT NULL,
  at   INTEGER NOT NULL
);

-- Everything that is or was held, for people with an SQLite tool.
CREATE VIEW evidence AS
  SELECT 'finding' AS kind, s.collector || '/' || s.instance AS instance, s.name AS scope, f.id, f.body, f.first_observed,
         CASE WHEN f.gone_at IS NULL THEN max(f.changed_at, s.last_full) ELSE f.changed_at END AS last_observed,
         f.gone_at, f.weakness
    FROM findings f JOIN scopes s ON s.id = f.scope
  UNION ALL
  SELECT r.kind, s.collector || '/' || s.instance, s.name, r.id, v.body, r.first_observed,
         CASE WHEN r.gone_at IS NULL THEN max(r.changed_at, s.last_full) ELSE r.changed_at END,
         r.gone_at, NULL
    FROM records r JOIN scopes s ON s.id = r.scope
    JOIN revisions v ON v.record = r.record
     AND v.revision = (SELECT max(revision) FROM revisions x WHERE x.record = r.record);
