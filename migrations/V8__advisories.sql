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

-- Sites with an open window that an advisory explains, inside the wall. A row stays when the last of them
-- is closed: what hit an organization once stays in its sight.
CREATE TABLE organization_advisories (
  organization_id INTEGER NOT NULL,
  advisory_id     INTEGER NOT NULL,
  affected_sites  INTEGER NOT NULL,
  PRIMARY KEY (organization_id, advisory_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER exposure_advisories_inserted AFTER INSERT ON exposure_advisories BEGIN
  UPDATE advisories SET affected_sites = affected_sites + 1
    WHERE id = new.advisory_id AND (SELECT closed_at IS NULL FROM exposures WHERE id = new.exposure_id);
  INSERT INTO organization_advisories SELECT organization_id, new.advisory_id, closed_at IS NULL FROM exposures WHERE id = new.exposure_id
    ON CONFLICT DO UPDATE SET affected_sites = affected_sites + excluded.affected_sites;
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

-- How drupal.org's two listings of advisories are read: a row each, made here once and for all.
CREATE TABLE advisory_listings (
  psa              INTEGER PRIMARY KEY,          -- 0: advisories, 1: announcements
  followed_since   INTEGER,                      -- the first time that it was asked for
  -- looking at what changed last
  mark             INTEGER,                      -- every change up to here was taken, Unix seconds; NULL: never read
  next_look_at     INTEGER NOT NULL DEFAULT 0,
  look_page        INTEGER NOT NULL DEFAULT 0,   -- where the running look goes on; 0: none runs
  look_newest      INTEGER,                      -- the newest change that it came upon, Unix seconds
  look_failures    INTEGER NOT NULL DEFAULT 0,   -- in a row
  look_error       TEXT,
  last_success_at  INTEGER,                      -- when all that had changed was last told
  etag             TEXT,                         -- of the first page
  last_modified    TEXT,
  -- going through all of it: first to fill, then to see what vanished
  next_sweep_at    INTEGER NOT NULL DEFAULT 0,
  sweep_page       INTEGER NOT NULL DEFAULT 0,   -- where the running sweep goes on; 0: none runs
  sweep_started_at INTEGER,
  sweep_newest     INTEGER,                      -- the newest change that it came upon, Unix seconds
  sweep_gaps       INTEGER NOT NULL DEFAULT 0,   -- pages that it had to leave out
  left_out         INTEGER NOT NULL DEFAULT 0,   -- pages that the one before had to leave out
  sweep_failures   INTEGER NOT NULL DEFAULT 0,   -- in a row, of one page
  sweep_error      TEXT,
  reached          INTEGER,                      -- the oldest change that the filling came to, Unix seconds
  filled_at        INTEGER                       -- the first time that all of it was read; NULL: not yet
) STRICT;
INSERT INTO advisory_listings (psa) VALUES (0), (1);

-- Nodes to be asked for one by one, and those that are of no use, with the reason.
CREATE TABLE advisory_nodes (
  nid         INTEGER PRIMARY KEY,               -- 0: an entry without a number
  psa         INTEGER NOT NULL,
  changed     INTEGER NOT NULL,                  -- Unix seconds: the newest are asked for first
  told        TEXT,                              -- JSON: what the listing told of an advisory whose project it names by a number
  tries       INTEGER NOT NULL DEFAULT 0,
  next_try_at INTEGER,                           -- NULL: asking would not help
  missing     INTEGER NOT NULL DEFAULT 0,        -- the listing lacks it: where it is gone alone too, it was taken back
  error       TEXT
) STRICT;
CREATE INDEX advisory_nodes_due ON advisory_nodes (next_try_at) WHERE next_try_at IS NOT NULL; -- due rows are the queue

-- What the running sweep has come upon.
CREATE TABLE advisory_seen (
  psa INTEGER NOT NULL,
  nid INTEGER NOT NULL,
  PRIMARY KEY (psa, nid)
) STRICT, WITHOUT ROWID;
