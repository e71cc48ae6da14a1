-- Security advisories: what each says, every form in which it was told, and the windows that it explains.

CREATE TABLE advisories (
  id                INTEGER PRIMARY KEY,
  name              TEXT    NOT NULL,            -- SA-CONTRIB-2025-125: its id for everybody
  project           TEXT    NOT NULL,            -- the short name; empty: about none
  title             TEXT    NOT NULL,
  kind              TEXT    NOT NULL,            -- Cross site scripting, ...
  psa               INTEGER NOT NULL,            -- an announcement: shown, never matched
  risk              TEXT,                        -- the level; NULL: unknown
  score             INTEGER,                     -- 0 to 25
  vector            TEXT,
  risk_known_at     INTEGER,                     -- since when this level is known here: a worse one tightens due times from then on
  cves              TEXT    NOT NULL,            -- JSON list
  published_at      INTEGER NOT NULL,
  changed_at        INTEGER NOT NULL,            -- by its source
  affected_versions TEXT,                        -- a composer constraint, as stated
  fixed_in          TEXT    NOT NULL,            -- JSON list
  url               TEXT    NOT NULL,
  nid               INTEGER,                     -- its node on drupal.org
  project_nid       INTEGER,
  known_at          INTEGER NOT NULL,            -- since when it is known here
  versions_known_at INTEGER NOT NULL,            -- since when it names the versions that it names now
  withdrawn_at      INTEGER,                     -- since when it is known to be taken back
  revision_id       INTEGER NOT NULL,            -- its newest form
  affected_sites    INTEGER NOT NULL DEFAULT 0,  -- sites with an open window that it explains
  updated_at        INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX advisories_name    ON advisories (name);
CREATE INDEX advisories_project        ON advisories (project, revision_id);
CREATE INDEX advisories_published      ON advisories (published_at, id);         -- the list, newest first
CREATE INDEX advisories_affected       ON advisories (affected_sites, id);       -- most affected first
CREATE INDEX advisories_node           ON advisories (nid) WHERE nid IS NOT NULL;
CREATE INDEX advisories_project_node   ON advisories (project_nid) WHERE project_nid IS NOT NULL;

-- One row a form of an advisory that differed from the one before: what a replay plays again.
CREATE TABLE advisory_revisions (
  id          INTEGER PRIMARY KEY,
  advisory_id INTEGER NOT NULL REFERENCES advisories (id),
  received_at INTEGER NOT NULL,
  content_hash BLOB   NOT NULL,                 -- SHA-256 of the record
  document    BLOB    NOT NULL                  -- the record: JSON, deflated
) STRICT;
CREATE INDEX advisory_revisions_advisory ON advisory_revisions (advisory_id, id);

-- Which advisories explain which window. At most one open window of a site for each advisory.
CREATE TABLE exposure_advisories (
  advisory_id INTEGER NOT NULL REFERENCES advisories (id),
  exposure_id INTEGER NOT NULL REFERENCES exposures (id),
  PRIMARY KEY (advisory_id, exposure_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX exposure_advisories_exposure ON exposure_advisories (exposure_id);

-- Sites with an open window that an advisory explains, inside the wall.
CREATE TABLE organization_advisories (
  organization_id INTEGER NOT NULL,
  advisory_id     INTEGER NOT NULL,
  affected_sites  INTEGER NOT NULL,
  PRIMARY KEY (organization_id, advisory_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER exposure_advisories_inserted AFTER INSERT ON exposure_advisories
  WHEN (SELECT closed_at IS NULL FROM exposures WHERE id = new.exposure_id) BEGIN
  UPDATE advisories SET affected_sites = affected_sites + 1 WHERE id = new.advisory_id;
  INSERT INTO organization_advisories SELECT organization_id, new.advisory_id, 1 FROM exposures WHERE id = new.exposure_id
    ON CONFLICT DO UPDATE SET affected_sites = affected_sites + 1;
END;
CREATE TRIGGER exposure_advisories_deleted AFTER DELETE ON exposure_advisories
  WHEN (SELECT closed_at IS NULL FROM exposures WHERE id = old.exposure_id) BEGIN
  UPDATE advisories SET affected_sites = affected_sites - 1 WHERE id = old.advisory_id;
  UPDATE organization_advisories SET affected_sites = affected_sites - 1 WHERE advisory_id = old.advisory_id
    AND organization_id = (SELECT organization_id FROM exposures WHERE id = old.exposure_id);
END;
CREATE TRIGGER exposures_opened_or_closed AFTER UPDATE OF closed_at ON exposures
  WHEN (old.closed_at IS NULL) <> (new.closed_at IS NULL) BEGIN
  UPDATE advisories SET affected_sites = affected_sites + iif(new.closed_at IS NULL, 1, -1)
    WHERE id IN (SELECT advisory_id FROM exposure_advisories WHERE exposure_id = new.id);
  UPDATE organization_advisories SET affected_sites = affected_sites + iif(new.closed_at IS NULL, 1, -1)
    WHERE organization_id = new.organization_id
      AND advisory_id IN (SELECT advisory_id FROM exposure_advisories WHERE exposure_id = new.id);
END;
