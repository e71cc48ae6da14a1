-- API keys of sites and organizations, and work done in the background.

CREATE TABLE api_keys (
  id              INTEGER PRIMARY KEY,
  site_id         INTEGER REFERENCES sites (id),
  organization_id INTEGER NOT NULL REFERENCES organizations (id),
  name            TEXT    NOT NULL,
  prefix          TEXT    NOT NULL,                    -- dwl_ and 8 characters: to recognise it
  secret_hash     BLOB    NOT NULL UNIQUE,             -- SHA-256 of the whole key
  old_hash        BLOB    UNIQUE,                      -- after a rotation, alive until old_expires_at
  old_expires_at  INTEGER,
  secret_by       TEXT    NOT NULL,                    -- who learned the secret: the person, or system
  old_secret_by   TEXT,                                -- the same of the one before it
  scopes          TEXT    NOT NULL,                    -- JSON list
  networks        TEXT    NOT NULL DEFAULT '[]',       -- JSON list of CIDR
  expires_at      INTEGER,
  last_used_at    INTEGER,
  last_used_from  TEXT,
  revoked_at      INTEGER,
  went_with       TEXT,                                -- site, organization: revoked together with it, and restored together
  created_at      INTEGER NOT NULL,
  updated_at      INTEGER NOT NULL,
  created_by      TEXT    NOT NULL,
  updated_by      TEXT    NOT NULL
) STRICT;
CREATE INDEX api_keys_site ON api_keys (site_id, id) WHERE site_id IS NOT NULL;
CREATE INDEX api_keys_organization ON api_keys (organization_id, id);

CREATE TABLE jobs (
  id              INTEGER PRIMARY KEY,
  organization_id INTEGER,                             -- NULL: the platform's own
  name            TEXT    NOT NULL,                    -- refresh-module, import-sites, ...
  payload         TEXT    NOT NULL DEFAULT '{}',
  state           TEXT    NOT NULL,                    -- queued, running, succeeded, failed, cancelled, dead
  done            INTEGER NOT NULL DEFAULT 0,
  total           INTEGER,
  attempts        INTEGER NOT NULL DEFAULT 0,
  last_error      TEXT,
  run_at          INTEGER NOT NULL,
  created_at      INTEGER NOT NULL,
  created_by      TEXT    NOT NULL,
  started_at      INTEGER,
  finished_at     INTEGER
) STRICT;
CREATE INDEX jobs_due ON jobs (run_at, id) WHERE state IN ('queued', 'running'); -- of a running one: when it counts as abandoned
CREATE INDEX jobs_organization ON jobs (organization_id, id) WHERE organization_id IS NOT NULL; -- what an organization asked for
