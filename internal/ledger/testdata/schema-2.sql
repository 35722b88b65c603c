BEGIN TRANSACTION;
CREATE TABLE codes (
  enumeration TEXT    NOT NULL,
  code        INTEGER NOT NULL,
  name        TEXT    NOT NULL,
  PRIMARY KEY (enumeration, code)
) WITHOUT ROWID;
INSERT INTO "codes" VALUES('class',0,'sast');
INSERT INTO "codes" VALUES('class',1,'sca');
INSERT INTO "codes" VALUES('class',2,'secret');
INSERT INTO "codes" VALUES('class',3,'container');
INSERT INTO "codes" VALUES('class',4,'iac');
INSERT INTO "codes" VALUES('class',5,'dast');
INSERT INTO "codes" VALUES('class',6,'other');
INSERT INTO "codes" VALUES('closure',0,'');
INSERT INTO "codes" VALUES('closure',1,'fixed');
INSERT INTO "codes" VALUES('closure',2,'false_positive');
INSERT INTO "codes" VALUES('closure',3,'wont_fix');
INSERT INTO "codes" VALUES('closure',4,'risk_accepted');
INSERT INTO "codes" VALUES('closure',5,'used_in_tests');
INSERT INTO "codes" VALUES('closure',6,'mitigated');
INSERT INTO "codes" VALUES('closure',7,'duplicate');
INSERT INTO "codes" VALUES('closure',8,'out_of_scope');
INSERT INTO "codes" VALUES('closure',9,'auto_dismissed');
INSERT INTO "codes" VALUES('closure',10,'other');
INSERT INTO "codes" VALUES('closure',11,'repository_archived');
INSERT INTO "codes" VALUES('closure',12,'repository_deleted');
INSERT INTO "codes" VALUES('closure',13,'manifest_deleted');
INSERT INTO "codes" VALUES('closure',14,'vanished');
INSERT INTO "codes" VALUES('event',0,'opened');
INSERT INTO "codes" VALUES('event',1,'fixed');
INSERT INTO "codes" VALUES('event',2,'reopened');
INSERT INTO "codes" VALUES('event',3,'dismissed_false_positive');
INSERT INTO "codes" VALUES('event',4,'dismissed_wont_fix');
INSERT INTO "codes" VALUES('event',5,'dismissed_used_in_tests');
INSERT INTO "codes" VALUES('event',6,'dismissed_other');
INSERT INTO "codes" VALUES('event',7,'duplicate');
INSERT INTO "codes" VALUES('event',8,'out_of_scope');
INSERT INTO "codes" VALUES('event',9,'excepted');
INSERT INTO "codes" VALUES('event',10,'exception_ended');
INSERT INTO "codes" VALUES('event',11,'severity_raised');
INSERT INTO "codes" VALUES('event',12,'severity_lowered');
INSERT INTO "codes" VALUES('event',13,'severity_left');
INSERT INTO "codes" VALUES('event',14,'scope_gained');
INSERT INTO "codes" VALUES('event',15,'scope_lost');
INSERT INTO "codes" VALUES('event',16,'moved_in');
INSERT INTO "codes" VALUES('event',17,'moved_out');
INSERT INTO "codes" VALUES('event',18,'met');
INSERT INTO "codes" VALUES('event',19,'missed');
INSERT INTO "codes" VALUES('event',20,'void');
INSERT INTO "codes" VALUES('event',21,'revoked');
INSERT INTO "codes" VALUES('outcome',0,'');
INSERT INTO "codes" VALUES('outcome',1,'met');
INSERT INTO "codes" VALUES('outcome',2,'missed');
INSERT INTO "codes" VALUES('outcome',3,'void');
INSERT INTO "codes" VALUES('severity',0,'critical');
INSERT INTO "codes" VALUES('severity',1,'high');
INSERT INTO "codes" VALUES('severity',2,'medium');
INSERT INTO "codes" VALUES('severity',3,'low');
INSERT INTO "codes" VALUES('severity',4,'unknown');
CREATE TABLE counting_changes (
  id   INTEGER PRIMARY KEY,
  kind TEXT    NOT NULL,
  at   INTEGER NOT NULL
, restated TEXT NOT NULL DEFAULT '');
CREATE TABLE event_blocks (
  number INTEGER PRIMARY KEY,
  body   BLOB NOT NULL
);
INSERT INTO "event_blocks" VALUES(0,X'C061566900000000C061566900000000000000000100000000000000000001C061566900000000C061566900000000010000000100000000000000000001C004596900000000C004596900000000000000000100000000000000090001C004596900000000C00459690000000001000000010000000000000009000140F95C690000000040F95C69000000000100000001000000000000000A0001');
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
INSERT INTO "findings" VALUES(0,0,1,'f',1767268800,1767268800,NULL,'{"ID":"f","Tool":"scan","Class":"sca","Repository":"acme/api","Service":"","Title":"","URL":"","Severity":"critical","Category":"CWE-79","Rule":"","Aliases":null,"Package":"","Version":"","Place":"","Line":0,"Closure":"","FirstSeen":"2026-01-01T12:00:00Z","ClosedAt":"0001-01-01T00:00:00Z","UpdatedAt":"2026-01-01T12:00:00Z","FixAvailable":"","KnownExploited":"","EPSS":0,"ActiveSecret":""}');
INSERT INTO "findings" VALUES(1,1,1,'g',1767268800,1767268800,NULL,'{"ID":"g","Tool":"scan","Class":"sca","Repository":"acme/api","Service":"","Title":"","URL":"","Severity":"critical","Category":"CWE-79","Rule":"","Aliases":null,"Package":"","Version":"","Place":"","Line":0,"Closure":"","FirstSeen":"2026-01-01T12:00:00Z","ClosedAt":"0001-01-01T00:00:00Z","UpdatedAt":"2026-01-01T12:00:00Z","FixAvailable":"","KnownExploited":"","EPSS":0,"ActiveSecret":""}');
CREATE TABLE history (
  id   INTEGER PRIMARY KEY,
  at   INTEGER NOT NULL,
  undo BLOB    NOT NULL
);
INSERT INTO "history" VALUES(1,1767441600,X'01808C1504020000010401808C1501808C15000001000200000100');
INSERT INTO "history" VALUES(2,1767528000,X'0180C60A00000001020180D21F0180D21F0001010000');
INSERT INTO "history" VALUES(3,1767614400,X'0180C60A000000010401808C1501808C150000010000');
INSERT INTO "history" VALUES(4,1767700800,X'0180C60A0401000001040180C60A0180C60A0000010001010B313736373434313630302D');
INSERT INTO "history" VALUES(5,1767787200,X'0180C60A00000001020180D21F0180D21F0001010000');
CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "meta" VALUES('at','1767787200');
INSERT INTO "meta" VALUES('founded','1767268800');
INSERT INTO "meta" VALUES('generation','11');
CREATE TABLE names (
  roster  TEXT    NOT NULL,
  id      INTEGER NOT NULL,
  name    TEXT    NOT NULL,
  removed INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (roster, id)
) WITHOUT ROWID;
INSERT INTO "names" VALUES('repository',0,'acme/api',0);
INSERT INTO "names" VALUES('service',0,'unattributed',0);
INSERT INTO "names" VALUES('service',1,'api',0);
CREATE TABLE owners (
  id            INTEGER PRIMARY KEY,
  business_unit TEXT NOT NULL,
  team          TEXT NOT NULL,
  service       TEXT NOT NULL,
  trust_tier    TEXT NOT NULL
);
INSERT INTO "owners" VALUES(0,'unattributed','unattributed','unattributed','unknown');
INSERT INTO "owners" VALUES(1,'retail','red','api','tier2');
CREATE TABLE pauses (
  weakness INTEGER PRIMARY KEY,
  spans    TEXT NOT NULL
);
INSERT INTO "pauses" VALUES(0,'1767441600-1770638400');
CREATE TABLE policies (
  id          INTEGER PRIMARY KEY,
  version     TEXT    NOT NULL,
  since       INTEGER NOT NULL,
  first_event INTEGER NOT NULL,
  config      TEXT    NOT NULL
);
INSERT INTO "policies" VALUES(0,'f2d33232ff12',1767268800,0,'{"time_zone":"UTC","trust_tiers":["tier0","tier1","tier2","tier3"],"sla":{"targets":[{"severity":"critical","within":"14d"},{"severity":"critical","trust_tiers":["tier0"],"within":"7d"},{"severity":"critical","internet_facing":true,"within":"7d"},{"severity":"critical","internet_facing":true,"exploited":true,"within":"3d"},{"severity":"high","within":"30d"},{"severity":"high","exploited":true,"within":"14d"},{"severity":"medium","within":"90d"},{"severity":"low","within":"180d"}],"due_soon_ratio":0.25,"reopen":"continue","reopen_within":"30d","attainment_target":0.9},"exceptions":{"rejected_recently":"30d","renewal_within":"365d"},"protection":{"required":["pull_request","approvals","status_checks","force_push_blocked","deletion_blocked"],"required_environment":["required_reviewers","branch_policy"],"production_environments":["prod","production","prod-*","production-*"],"approvals":1,"privileged":{"trust_tiers":["tier0","tier1"],"topics":["privileged"]}},"windows":["7d","30d","90d"],"targets":{"protection":0.95,"ownership":0.98,"controls":0.9,"approval":0.95,"evidence":0.9,"remediation":0.7,"concentration":0.5,"minimum_outcomes":5},"catalog_precedence":null,"epss_threshold":0.5,"risk":{"severity":{"critical":10,"high":4},"exposure":{"internet_facing":2,"internal":1,"unknown":1.5},"criticality":{"crown_jewel":3,"trust_tiers":{"tier0":2,"tier1":1.5},"other_tiers":1,"unknown_tier":1.5},"exploitation":{"known_exploited":4,"active_secret":4,"likely":2,"none":1}},"buckets":{"ages":["1d","3d","7d","14d","30d","60d","90d","180d","365d"],"remediation":["12h","1d","3d","5d","7d","10d","14d","21d","30d","45d","60d","90d","120d","180d","365d"],"requests":["1h","4h","8h","1d","2d","3d","5d","7d","14d","30d","60d","90d"],"lead_time":["1h","4h","12h","1d","2d","3d","7d","14d","30d","60d","90d","180d"],"restore":["5m","15m","30m","1h","2h","4h","8h","1d","3d","7d","30d"]},"detail":{"trust_tiers":["tier0","tier1"],"crown_jewel":true,"internet_facing":true,"max_series":10000},"delivery":{"path_deployments":10,"evidence":{"releases":["provenance","sbom","signature"],"deployments":["provenance","approval"],"pipelines":["provenance","approval"]},"privileged_pipelines":{"production":true,"publishing":true},"dedicated_repositories":1,"static_keys":["*AWS_ACCESS_KEY*","*AWS_SECRET*","*AZURE_CREDENTIALS*","*AZURE_CLIENT_SECRET*","*ARM_CLIENT_SECRET*","*AZURE_SP_PASSWORD*","*GCP_CREDENTIALS*","*GCP_KEY*","*GCP_JSON*","*GOOGLE_CREDENTIALS*","*GOOGLE_APPLICATION_CREDENTIALS*","*GCLOUD_*KEY*","*SERVICE_ACCOUNT_KEY*","*SERVICE_ACCOUNT_JSON*","*_SA_KEY*","*ALICLOUD_SECRET*","*ALIBABA*SECRET*","*DIGITALOCEAN_ACCESS_TOKEN*","*IBMCLOUD_API_KEY*","*IBM_CLOUD_API_KEY*","*HCLOUD_TOKEN*","*SCW_SECRET_KEY*"]},"dora":{"late_review_ratio":0.25,"failure_window":"30d","failed_deployments":"count"},"controls":{"baseline":{"domain":"governance","applies_to":[{"lifecycles":["production","none"]}],"without_repositories":null,"without_topics":null,"evidence":[{"from":"evidence"},{"from":"catalog_fact"},{"from":"repository_setting","name":"security_configuration"}],"combine":"any","max_age":"0s","baseline":["tier0","tier1"]},"branch_protection":{"domain":"delivery","applies_to":[{"has_repository":true}],"without_repositories":null,"without_topics":null,"evidence":[{"from":"branch_protection","name":"required"},{"from":"evidence"}],"combine":"first","max_age":"0s","baseline":["tier0","tier1"]},"cloud_baseline":{"domain":"cloud","applies_to":[{"lifecycles":["production","none"]}],"without_repositories":null,"without_topics":null,"evidence":[{"from":"evidence"},{"from":"catalog_fact"}],"combine":"any","max_age":"30d","baseline":["tier0"]},"cloud_identity":{"domain":"delivery","applies_to":[{"has_repository":true}],"without_repositories":null,"without_topics":null,"evidence":[{"from":"cloud_identity"},{"from":"evidence"}],"combine":"first","max_age":"0s","baseline":["tier0"]},"design_review":{"domain":"appsec","applies_to":[{"trust_tiers":["tier0","tier1"]},{"crown_jewel":true}],"without_repositories":null,"without_topics":null,"evidence":[{"from":"review","name":"design","absent":"fail"},{"from":"evidence"},{"from":"catalog_fact"}],"combine":"any","max_age":"365d","baseline":["tier0"]},"golden_path":{"domain":"delivery","applies_to":[{"has_repository":true}],"without_repositories":null,"without_topics":null,"evidence":[{"from":"evidence"},{"from":"catalog_fact"},{"from":"repository_property"}],"combine":"any","max_age":"0s","baseline":null},"kubernetes_baseline":{"domain":"kubernetes","applies_to":[{"lifecycles":["production","none"],"facts":{"platform":["kubernetes","none"]}}],"without_repositories":null,"without_topics":null,"evidence":[{"from":"evidence"},{"from":"catalog_fact"}],"combine":"any","max_age":"30d","baseline":["tier0"]},"logging":{"domain":"governance","applies_to":[{"lifecycles":["production","none"]}],"without_repositories":null,"without_topics":null,"evidence":[{"from":"evidence"},{"from":"catalog_fact"}],"combine":"any","max_age":"0s","baseline":["tier0","tier1"]},"owner":{"domain":"governance","applies_to":null,"without_repositories":null,"without_topics":null,"evidence":[{"from":"catalog_field","name":"team"}],"combine":"any","max_age":"0s","baseline":["tier0","tier1","tier2","tier3","unknown"]},"provenance":{"domain":"delivery","applies_to":[{"lifecycles":["production","none"],"has_repository":true}],"without_repositories":null,"without_topics":null,"evidence":[{"from":"deployment","name":"provenance"},{"from":"release","name":"provenance"},{"from":"pipeline","name":"provenance"},{"from":"evidence"}],"combine":"first","max_age":"0s","baseline":["tier0"]},"push_protection":{"domain":"appsec","applies_to":[{"has_repository":true}],"without_repositories":null,"without_topics":null,"evidence":[{"from":"repository_setting"},{"from":"evidence"}],"combine":"any","max_age":"0s","baseline":["tier0"]},"rollback":{"domain":"delivery","applies_to":[{"trust_tiers":["tier0","tier1"]},{"crown_jewel":true}],"without_repositories":null,"without_topics":null,"evidence":[{"from":"rollback"},{"from":"evidence"},{"from":"catalog_fact"}],"combine":"any","max_age":"180d","baseline":["tier0"]},"runner_tier":{"domain":"delivery","applies_to":[{"trust_tiers":["tier0","tier1"],"has_repository":true},{"crown_jewel":true,"has_repository":true}],"without_repositories":null,"without_topics":null,"evidence":[{"from":"runner"},{"from":"evidence"}],"combine":"first","max_age":"0s","baseline":["tier0"]},"sast":{"domain":"appsec","applies_to":[{"has_repository":true}],"without_repositories":null,"without_topics":null,"evidence":[{"from":"scan","name":"sast"},{"from":"evidence"}],"combine":"any","max_age":"0s","baseline":["tier0","tier1"]},"sca":{"domain":"appsec","applies_to":[{"has_repository":true}],"without_repositories":null,"without_topics":null,"evidence":[{"from":"scan","name":"sca"},{"from":"evidence"}],"combine":"any","max_age":"0s","baseline":["tier0","tier1"]},"secret_scanning":{"domain":"appsec","applies_to":[{"has_repository":true}],"without_repositories":null,"without_topics":null,"evidence":[{"from":"scan","name":"secret"},{"from":"evidence"}],"combine":"any","max_age":"0s","baseline":["tier0","tier1"]},"threat_model":{"domain":"appsec","applies_to":[{"trust_tiers":["tier0","tier1"]},{"crown_jewel":true}],"without_repositories":null,"without_topics":null,"evidence":[{"from":"review","name":"threat_model","absent":"fail"},{"from":"evidence"},{"from":"catalog_fact"}],"combine":"any","max_age":"365d","baseline":["tier0","tier1"]}},"control_mapping":[{"control":"push_protection","classes":["secret"]},{"control":"sca","classes":["sca"]},{"control":"golden_path","classes":["container"]},{"control":"kubernetes_baseline","categories":["KSV*","AVD-KSV-*","CKV_K8S_*","CKV2_K8S_*"]},{"control":"cloud_baseline","classes":["iac"]},{"control":"logging","categories":["CWE-223","CWE-778","CWE-779"]},{"control":"design_review","categories":["CWE-266","CWE-269","CWE-284","CWE-285","CWE-287","CWE-306","CWE-425","CWE-639","CWE-840","CWE-841","CWE-862","CWE-863"]},{"control":"threat_model","categories":["CWE-441","CWE-501","CWE-602","CWE-657","CWE-918"]},{"control":"provenance","categories":["CWE-345","CWE-353","CWE-494","CWE-829"]},{"control":"golden_path","categories":["CWE-16","CWE-295","CWE-310","CWE-311","CWE-312","CWE-319","CWE-326","CWE-327","CWE-328","CWE-330","CWE-338","CWE-347","CWE-352","CWE-614","CWE-693","CWE-942","CWE-1004","CWE-1021"]},{"control":"sast","classes":["sast"]},{"control":"sast","bypasses":["code_scanning"]},{"control":"branch_protection","bypasses":["*"]}]}');
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
INSERT INTO "records" VALUES(0,'service',0,'api',1,1767268800,1767268800,NULL);
INSERT INTO "records" VALUES(1,'exception',2,'E',1,1767441600,1767614400,NULL);
INSERT INTO "records" VALUES(2,'exception',2,'X',1,1767441600,1767700800,1767700800);
CREATE TABLE report_blocks (
  number INTEGER PRIMARY KEY,
  body   BLOB NOT NULL
);
INSERT INTO "report_blocks" VALUES(0,X'2B298DFD3314A73B01BE2F5C1B8D920C00000000FFFFFFFF01000020000000001C89DB95C6201D91F5F98E53F56D38EC01000000FFFFFFFF0100002000000000');
CREATE TABLE revisions (
  record     INTEGER NOT NULL REFERENCES records (record),
  valid_from INTEGER NOT NULL,
  revision   INTEGER NOT NULL,
  valid_to   INTEGER,
  body       TEXT    NOT NULL,
  PRIMARY KEY (record, revision)
) WITHOUT ROWID;
INSERT INTO "revisions" VALUES(0,1767268800,1,NULL,'{"Name":"api","BusinessUnit":"retail","Team":"red","TrustTier":"tier2","ProductArea":"","Lifecycle":"","CrownJewel":"","InternetFacing":"","Repositories":[{"Repository":"acme/api","Paths":null}],"Facts":null}');
INSERT INTO "revisions" VALUES(1,1767441600,1,1767614400,'{"ID":"E","Title":"","URL":"","State":"approved","Category":"","Service":"api","Repository":"","Findings":["f"],"Advisories":null,"Rules":null,"Categories":null,"Controls":null,"RequestedAt":"2026-01-02T12:00:00Z","DecidedAt":"2026-01-03T12:00:00Z","ExpiresAt":"2026-02-09T12:00:00Z","EndedAt":"0001-01-01T00:00:00Z","UpdatedAt":"2026-01-03T12:00:00Z","InForce":null,"VendorAcceptance":false,"Tool":""}');
INSERT INTO "revisions" VALUES(1,1767614400,2,NULL,'{"ID":"E","Title":"longer","URL":"","State":"approved","Category":"","Service":"api","Repository":"","Findings":["f"],"Advisories":null,"Rules":null,"Categories":null,"Controls":null,"RequestedAt":"2026-01-02T12:00:00Z","DecidedAt":"2026-01-03T12:00:00Z","ExpiresAt":"2026-02-09T12:00:00Z","EndedAt":"0001-01-01T00:00:00Z","UpdatedAt":"2026-01-05T12:00:00Z","InForce":null,"VendorAcceptance":false,"Tool":""}');
INSERT INTO "revisions" VALUES(2,1767441600,1,1767700800,'{"ID":"X","Title":"","URL":"","State":"approved","Category":"","Service":"api","Repository":"","Findings":["g"],"Advisories":null,"Rules":null,"Categories":null,"Controls":null,"RequestedAt":"2026-01-02T12:00:00Z","DecidedAt":"2026-01-03T12:00:00Z","ExpiresAt":"0001-01-01T00:00:00Z","EndedAt":"0001-01-01T00:00:00Z","UpdatedAt":"2026-01-03T12:00:00Z","InForce":null,"VendorAcceptance":false,"Tool":""}');
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
INSERT INTO "scopes" VALUES(0,'catalog','a','catalog:a',0,'','','service',0,1767268800,1767268800,1767268800,'');
INSERT INTO "scopes" VALUES(1,'scanner','one','alerts:one',0,'','sca','finding',0,1767787200,1767787200,1767787200,'');
INSERT INTO "scopes" VALUES(2,'scanner','tickets','query:x',0,'','','exception',0,1767700800,1767700800,1767700800,'');
CREATE TABLE sources (
  collector TEXT NOT NULL,
  instance  TEXT NOT NULL, position    INTEGER NOT NULL DEFAULT 0, stale_after INTEGER NOT NULL DEFAULT 0, stale_from  INTEGER NOT NULL DEFAULT 0, classes     TEXT    NOT NULL DEFAULT '',
  PRIMARY KEY (collector, instance)
) WITHOUT ROWID;
INSERT INTO "sources" VALUES('catalog','a',0,0,0,'');
INSERT INTO "sources" VALUES('scanner','one',1,0,0,'');
INSERT INTO "sources" VALUES('scanner','tickets',2,0,0,'');
CREATE TABLE strings (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL
);
INSERT INTO "strings" VALUES(0,'');
INSERT INTO "strings" VALUES(1,'CWE-79');
INSERT INTO "strings" VALUES(2,'scan');
CREATE TABLE weakness_blocks (
  number INTEGER PRIMARY KEY,
  body   BLOB NOT NULL
);
INSERT INTO "weakness_blocks" VALUES(0,X'C061566900000000C06156690000000000000000000000000100000000000000010000000100000002000000000001000100000100000000000000000000C061566900000000C06156690000000000000000000000000100000000000000010000000100000002000000000001000100000100000000000000000000');
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
PRAGMA user_version=2;
