PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO meta VALUES('at','1767614400');
INSERT INTO meta VALUES('founded','1767268800');
INSERT INTO meta VALUES('generation','9');
CREATE TABLE codes (
  enumeration TEXT    NOT NULL,
  code        INTEGER NOT NULL,
  name        TEXT    NOT NULL,
  PRIMARY KEY (enumeration, code)
) WITHOUT ROWID;
INSERT INTO codes VALUES('class',0,'sast');
INSERT INTO codes VALUES('class',1,'sca');
INSERT INTO codes VALUES('class',2,'secret');
INSERT INTO codes VALUES('class',3,'container');
INSERT INTO codes VALUES('class',4,'iac');
INSERT INTO codes VALUES('class',5,'dast');
INSERT INTO codes VALUES('class',6,'other');
INSERT INTO codes VALUES('closure',0,'');
INSERT INTO codes VALUES('closure',1,'fixed');
INSERT INTO codes VALUES('closure',2,'false_positive');
INSERT INTO codes VALUES('closure',3,'wont_fix');
INSERT INTO codes VALUES('closure',4,'risk_accepted');
INSERT INTO codes VALUES('closure',5,'used_in_tests');
INSERT INTO codes VALUES('closure',6,'mitigated');
INSERT INTO codes VALUES('closure',7,'duplicate');
INSERT INTO codes VALUES('closure',8,'out_of_scope');
INSERT INTO codes VALUES('closure',9,'auto_dismissed');
INSERT INTO codes VALUES('closure',10,'other');
INSERT INTO codes VALUES('closure',11,'repository_archived');
INSERT INTO codes VALUES('closure',12,'repository_deleted');
INSERT INTO codes VALUES('closure',13,'manifest_deleted');
INSERT INTO codes VALUES('closure',14,'vanished');
INSERT INTO codes VALUES('event',0,'opened');
INSERT INTO codes VALUES('event',1,'fixed');
INSERT INTO codes VALUES('event',2,'reopened');
INSERT INTO codes VALUES('event',3,'dismissed_false_positive');
INSERT INTO codes VALUES('event',4,'dismissed_wont_fix');
INSERT INTO codes VALUES('event',5,'dismissed_used_in_tests');
INSERT INTO codes VALUES('event',6,'dismissed_other');
INSERT INTO codes VALUES('event',7,'duplicate');
INSERT INTO codes VALUES('event',8,'out_of_scope');
INSERT INTO codes VALUES('event',9,'excepted');
INSERT INTO codes VALUES('event',10,'exception_ended');
INSERT INTO codes VALUES('event',11,'severity_raised');
INSERT INTO codes VALUES('event',12,'severity_lowered');
INSERT INTO codes VALUES('event',13,'severity_left');
INSERT INTO codes VALUES('event',14,'scope_gained');
INSERT INTO codes VALUES('event',15,'scope_lost');
INSERT INTO codes VALUES('event',16,'moved_in');
INSERT INTO codes VALUES('event',17,'moved_out');
INSERT INTO codes VALUES('event',18,'met');
INSERT INTO codes VALUES('event',19,'missed');
INSERT INTO codes VALUES('event',20,'void');
INSERT INTO codes VALUES('event',21,'revoked');
INSERT INTO codes VALUES('outcome',0,'');
INSERT INTO codes VALUES('outcome',1,'met');
INSERT INTO codes VALUES('outcome',2,'missed');
INSERT INTO codes VALUES('outcome',3,'void');
INSERT INTO codes VALUES('severity',0,'critical');
INSERT INTO codes VALUES('severity',1,'high');
INSERT INTO codes VALUES('severity',2,'medium');
INSERT INTO codes VALUES('severity',3,'low');
INSERT INTO codes VALUES('severity',4,'unknown');
CREATE TABLE strings (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL
);
INSERT INTO strings VALUES(0,'');
INSERT INTO strings VALUES(1,'CWE-79');
INSERT INTO strings VALUES(2,'scan');
CREATE TABLE owners (
  id            INTEGER PRIMARY KEY,
  business_unit TEXT NOT NULL,
  team          TEXT NOT NULL,
  service       TEXT NOT NULL,
  trust_tier    TEXT NOT NULL
);
INSERT INTO owners VALUES(0,'unattributed','unattributed','unattributed','unknown');
INSERT INTO owners VALUES(1,'retail','red','api','tier0');
CREATE TABLE names (
  roster  TEXT    NOT NULL,
  id      INTEGER NOT NULL,
  name    TEXT    NOT NULL,
  removed INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (roster, id)
) WITHOUT ROWID;
INSERT INTO names VALUES('repository',0,'acme/api',0);
INSERT INTO names VALUES('repository',1,'acme/web',0);
INSERT INTO names VALUES('service',0,'unattributed',0);
INSERT INTO names VALUES('service',1,'api',0);
CREATE TABLE sources (
  collector TEXT NOT NULL,
  instance  TEXT NOT NULL,
  PRIMARY KEY (collector, instance)
) WITHOUT ROWID;
INSERT INTO sources VALUES('catalog','a');
INSERT INTO sources VALUES('scanner','one');
INSERT INTO sources VALUES('tickets','t');
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
INSERT INTO scopes VALUES(0,'catalog','a','catalog:x',0,'','','service repository',0,1767268800,1767268800,1767268800,'');
INSERT INTO scopes VALUES(1,'scanner','one','alerts:acme',0,'c2','sca','finding',0,1767355200,1767355200,1767355200,'');
INSERT INTO scopes VALUES(2,'tickets','t','query:x',0,'','','exception review',0,1767355200,1767355200,1767355200,'');
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
INSERT INTO findings VALUES(0,1,1,'f',1767268800,1767268800,NULL,'{"ID":"f","Tool":"scan","Class":"sca","Repository":"acme/api","Service":"","Title":"","URL":"","Severity":"critical","Category":"CWE-79","Rule":"","Aliases":null,"Package":"","Version":"","Place":"","Line":0,"Closure":"","FirstSeen":"2025-12-26T12:00:00Z","ClosedAt":"0001-01-01T00:00:00Z","UpdatedAt":"2025-12-26T12:00:00Z","FixAvailable":"","KnownExploited":"","EPSS":0,"ActiveSecret":""}');
INSERT INTO findings VALUES(1,0,1,'g',1767268800,1767355200,NULL,'{"ID":"g","Tool":"scan","Class":"sca","Repository":"acme/api","Service":"","Title":"","URL":"","Severity":"critical","Category":"CWE-79","Rule":"","Aliases":null,"Package":"","Version":"","Place":"","Line":0,"Closure":"","FirstSeen":"2025-12-22T12:00:00Z","ClosedAt":"0001-01-01T00:00:00Z","UpdatedAt":"2025-12-22T12:00:00Z","FixAvailable":"","KnownExploited":"","EPSS":0,"ActiveSecret":""}');
INSERT INTO findings VALUES(2,2,1,'h',1767355200,1767355200,NULL,'{"ID":"h","Tool":"scan","Class":"sca","Repository":"acme/api","Service":"","Title":"","URL":"","Severity":"critical","Category":"CWE-79","Rule":"","Aliases":null,"Package":"","Version":"","Place":"","Line":0,"Closure":"","FirstSeen":"2026-01-02T12:00:00Z","ClosedAt":"0001-01-01T00:00:00Z","UpdatedAt":"2026-01-02T12:00:00Z","FixAvailable":"","KnownExploited":"","EPSS":0,"ActiveSecret":""}');
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
INSERT INTO records VALUES(0,'service',0,'api',1,1767268800,1767268800,NULL);
INSERT INTO records VALUES(1,'repository',0,'acme/api',1,1767268800,1767268800,NULL);
INSERT INTO records VALUES(2,'repository',0,'acme/web',0,1767268800,1767268800,NULL);
INSERT INTO records VALUES(3,'exception',2,'EX-1',1,1767268800,1767268800,NULL);
INSERT INTO records VALUES(4,'review',2,'R-1',0,1767268800,1767355200,NULL);
CREATE TABLE revisions (
  record     INTEGER NOT NULL REFERENCES records (record),
  valid_from INTEGER NOT NULL,
  revision   INTEGER NOT NULL,
  valid_to   INTEGER,
  body       TEXT    NOT NULL,
  PRIMARY KEY (record, revision)
) WITHOUT ROWID;
INSERT INTO revisions VALUES(0,1767268800,1,NULL,'{"Name":"api","BusinessUnit":"retail","Team":"red","TrustTier":"tier0","ProductArea":"","Lifecycle":"","CrownJewel":"","InternetFacing":"","Repositories":[{"Repository":"acme/api","Paths":null}],"Facts":null}');
INSERT INTO revisions VALUES(1,1767268800,1,NULL,'{"Name":"acme/api","URL":"","Visibility":"","Archived":false,"Fork":false,"DefaultBranch":"","Topics":null,"Properties":null,"PushedAt":"0001-01-01T00:00:00Z","Branches":null,"Environments":null,"Scanners":null,"Settings":null}');
INSERT INTO revisions VALUES(2,1767268800,1,NULL,'{"Name":"acme/web","URL":"","Visibility":"","Archived":false,"Fork":false,"DefaultBranch":"","Topics":null,"Properties":null,"PushedAt":"0001-01-01T00:00:00Z","Branches":null,"Environments":null,"Scanners":null,"Settings":null}');
INSERT INTO revisions VALUES(3,1767268800,1,NULL,'{"ID":"EX-1","Title":"","URL":"","State":"approved","Category":"","Service":"api","Repository":"","Findings":null,"Advisories":null,"Rules":null,"Categories":["CWE-79"],"Controls":null,"RequestedAt":"2025-12-28T12:00:00Z","DecidedAt":"2025-12-29T12:00:00Z","ExpiresAt":"2026-01-03T12:00:00Z","EndedAt":"0001-01-01T00:00:00Z","UpdatedAt":"0001-01-01T00:00:00Z","VendorAcceptance":false,"Tool":""}');
INSERT INTO revisions VALUES(4,1767268800,1,1767355200,'{"ID":"R-1","Kind":"code","State":"waiting","Title":"","URL":"","Service":"","Repository":"","RequestedAt":"2025-12-30T12:00:00Z","FirstResponseAt":"0001-01-01T00:00:00Z","ClosedAt":"0001-01-01T00:00:00Z","UpdatedAt":"0001-01-01T00:00:00Z"}');
INSERT INTO revisions VALUES(4,1767355200,2,NULL,'{"ID":"R-1","Kind":"code","State":"in_progress","Title":"","URL":"","Service":"","Repository":"","RequestedAt":"2025-12-30T12:00:00Z","FirstResponseAt":"2026-01-02T12:00:00Z","ClosedAt":"0001-01-01T00:00:00Z","UpdatedAt":"0001-01-01T00:00:00Z"}');
CREATE TABLE report_blocks (
  number INTEGER PRIMARY KEY,
  body   BLOB NOT NULL
);
INSERT INTO report_blocks VALUES(0,X'2b298dfd3314a73b354eda7bdb32ddb901000000ffffffff01000020000000001c89db95c6201d9101089e8cb14534f500000000ffffffff0100002000000000eea193c7732e38e0738434f3e174888802000000ffffffff0100002000000000');
CREATE TABLE weakness_blocks (
  number INTEGER PRIMARY KEY,
  body   BLOB NOT NULL
);
INSERT INTO weakness_blocks VALUES(0,X'c032496900000000c03249690000000000000000000000000100000000000000010000000100000002000000000001000100000100020000000000000000c0784e6900000000c0784e69000000000000000000000000010000000000000001000000010000000200000000000100010000010000000000000000000040b357690000000040b357690000000000000000000000000100000000000000010000000100000002000000000001000100000100000000000000000000');
CREATE TABLE event_blocks (
  number INTEGER PRIMARY KEY,
  body   BLOB NOT NULL
);
INSERT INTO event_blocks VALUES(0,X'c032496900000000c032496900000000000000000100000000000000000001406d526900000000406d526900000000000000000100000000000000090001406d526900000000406d5269000000000000000001000000803a0900010001406d526900000000406d526900000000000000000100000000000000120001c0784e6900000000c0784e6900000000010000000100000000000000000001406d526900000000406d52690000000001000000010000000000000009000140b357690000000040b357690000000000000000010000000000000002000140b357690000000040b3576900000000000000000100000000000000150001406d52690000000040b357690000000000000000010000000000000009000140b357690000000040b357690000000002000000010000000000000000000140b357690000000040b3576900000000020000000100000000000000090001c004596900000000c0045969000000000000000001000000000000000a0001c004596900000000c0045969000000000100000001000000000000000a0001c004596900000000c0045969000000000200000001000000000000000a00017fad5969000000007fad596900000000000000000100000000000000130001');
CREATE TABLE pauses (
  weakness INTEGER PRIMARY KEY,
  spans    TEXT NOT NULL
);
INSERT INTO pauses VALUES(0,'1767009600-1767441600');
INSERT INTO pauses VALUES(1,'1767009600-1767441600');
INSERT INTO pauses VALUES(2,'1767009600-1767441600');
CREATE TABLE policies (
  id          INTEGER PRIMARY KEY,
  version     TEXT    NOT NULL,
  since       INTEGER NOT NULL,
  first_event INTEGER NOT NULL,
  config      TEXT    NOT NULL
);
INSERT INTO policies VALUES(0,'46efdb071372',1767268800,0,'{"time_zone":"UTC","trust_tiers":["tier0","tier1","tier2","tier3"],"sla":{"targets":[{"severity":"critical","within":"14d"},{"severity":"critical","trust_tiers":["tier0"],"within":"7d"},{"severity":"critical","internet_facing":true,"within":"7d"},{"severity":"critical","internet_facing":true,"exploited":true,"within":"3d"},{"severity":"high","within":"30d"},{"severity":"high","exploited":true,"within":"14d"},{"severity":"medium","within":"90d"},{"severity":"low","within":"180d"}],"due_soon_ratio":0.25,"reopen":"continue","reopen_within":"30d","attainment_target":0.9},"exceptions":{"rejected_recently":"30d","renewal_within":"365d"},"protection":{"required":["pull_request","approvals","status_checks","force_push_blocked","deletion_blocked"],"required_environment":["required_reviewers","branch_policy"],"production_environments":["prod","production","prod-*","production-*"],"approvals":1,"privileged":{"trust_tiers":["tier0","tier1"],"topics":["privileged"]}},"windows":["7d","30d","90d"],"catalog_precedence":null,"epss_threshold":0.5,"detail":{"trust_tiers":["tier0","tier1"],"crown_jewel":true,"internet_facing":true,"max_series":10000}}');
CREATE TABLE counting_changes (
  id   INTEGER PRIMARY KEY,
  kind TEXT    NOT NULL,
  at   INTEGER NOT NULL
);
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
COMMIT;
PRAGMA user_version = 1;
