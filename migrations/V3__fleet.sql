-- The fleet: sites, what each runs, and how that came to be.

CREATE TABLE sites (
  id                    INTEGER PRIMARY KEY,
  organization_id       INTEGER NOT NULL REFERENCES organizations (id),
  name                  TEXT    NOT NULL,
  url                   TEXT    NOT NULL DEFAULT '',
  environment           TEXT    NOT NULL,
  tags                  TEXT    NOT NULL DEFAULT '[]',
  notes                 TEXT    NOT NULL DEFAULT '',
  sync_interval_minutes INTEGER NOT NULL DEFAULT 60,
  -- what the newest accepted inventory said
  drupal_version        TEXT,
  php_version           TEXT,
  info                  TEXT    NOT NULL DEFAULT '{}', -- JSON: database, install profile, agent
  seen_url              TEXT,                          -- domain rule 11: what identifies the installation
  seen_instance         TEXT,
  stranger_at           INTEGER,                       -- a different installation used the key then
  stranger_url          TEXT,
  stranger_instance     TEXT,
  first_sync_at         INTEGER,
  changed_at            INTEGER,                       -- the newest sync that changed anything
  core_version_id       INTEGER REFERENCES module_versions (id),
  -- counted, in the same commit as the facts
  status                INTEGER NOT NULL,              -- rank, worst first: see domain::site_status
  status_reason         TEXT,
  total                 INTEGER NOT NULL DEFAULT 0,
  not_current           INTEGER NOT NULL DEFAULT 0,
  security              INTEGER NOT NULL DEFAULT 0,
  unknown               INTEGER NOT NULL DEFAULT 0,
  custom                INTEGER NOT NULL DEFAULT 0,
  disabled              INTEGER NOT NULL DEFAULT 0,
  open_exposures        INTEGER NOT NULL DEFAULT 0,    -- (site, module) pairs with an open row
  next_due_at           INTEGER,                       -- the earliest due time of an open row
  silent_since          INTEGER,                       -- stamped with the deadline that was missed
  created_at            INTEGER NOT NULL,
  updated_at            INTEGER NOT NULL,
  created_by            TEXT    NOT NULL,
  updated_by            TEXT    NOT NULL,
  deleted_at            INTEGER,
  went_with             TEXT                           -- organization: deleted together with it, and restored together
) STRICT;
CREATE UNIQUE INDEX sites_name ON sites (organization_id, name COLLATE NOCASE, environment) WHERE deleted_at IS NULL; -- unique; the list of an organization
CREATE INDEX sites_organization ON sites (organization_id) WHERE deleted_at IS NULL;                -- the newest of an organization; never moves
CREATE INDEX sites_by_name   ON sites (name COLLATE NOCASE, environment) WHERE deleted_at IS NULL;  -- the list of everything
CREATE INDEX sites_by_environment ON sites (environment, name COLLATE NOCASE) WHERE deleted_at IS NULL; -- the list of everything in one environment
CREATE INDEX sites_by_environment_status ON sites (environment, status, ifnull(next_due_at, 9223372036854775807)) WHERE deleted_at IS NULL; -- of one environment, worst first
CREATE INDEX sites_by_status ON sites (status, ifnull(next_due_at, 9223372036854775807)) WHERE deleted_at IS NULL; -- worst first, and of those the most urgent
CREATE INDEX sites_by_due    ON sites (ifnull(next_due_at, 9223372036854775807)) WHERE deleted_at IS NULL; -- most urgent first
CREATE INDEX sites_open     ON sites (ifnull(next_due_at, 9223372036854775807), organization_id) WHERE deleted_at IS NULL AND open_exposures > 0; -- those with something open, the most urgent first
CREATE INDEX sites_deleted  ON sites (organization_id, deleted_at) WHERE deleted_at IS NOT NULL;     -- what can be restored
CREATE INDEX sites_silent    ON sites (silent_since, id) WHERE deleted_at IS NULL AND silent_since IS NOT NULL;

-- What follows from a site's row when a person changes it, for filters and searches of the list of everything.
CREATE TABLE site_tags (
  tag     TEXT    NOT NULL COLLATE NOCASE,
  site_id INTEGER NOT NULL,
  PRIMARY KEY (tag, site_id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER sites_tagged AFTER INSERT ON sites BEGIN
  INSERT INTO site_tags SELECT value, new.id FROM json_each(new.tags);
END;
CREATE TRIGGER sites_tagged_anew AFTER UPDATE OF tags ON sites WHEN old.tags <> new.tags BEGIN
  DELETE FROM site_tags WHERE site_id = new.id AND tag IN (SELECT value FROM json_each(old.tags));
  INSERT INTO site_tags SELECT value, new.id FROM json_each(new.tags);
END;
CREATE VIRTUAL TABLE sites_search USING fts5 (name, url, content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1'); -- as modules_search
CREATE VIRTUAL TABLE sites_search_terms USING fts5vocab (sites_search, instance);
CREATE TRIGGER sites_named AFTER INSERT ON sites BEGIN
  INSERT INTO sites_search (rowid, name, url) VALUES (new.id, fold(new.name) || '  ', fold(new.url) || '  ');
END;
CREATE TRIGGER sites_renamed AFTER UPDATE OF name, url ON sites WHEN old.name <> new.name OR old.url <> new.url BEGIN
  UPDATE sites_search SET name = fold(new.name) || '  ', url = fold(new.url) || '  ' WHERE rowid = new.id;
END;

-- In which environment a site was, since when: what was promised to it follows from that, and a site that
-- is moved to another rewrites no past.
CREATE TABLE site_environments (
  site_id     INTEGER NOT NULL,
  since       INTEGER NOT NULL,
  environment TEXT    NOT NULL,
  PRIMARY KEY (site_id, since)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER sites_placed AFTER INSERT ON sites BEGIN
  INSERT INTO site_environments VALUES (new.id, 0, new.environment);
END;
CREATE TRIGGER sites_placed_anew AFTER UPDATE OF environment ON sites WHEN old.environment <> new.environment BEGIN
  -- A clock that was set back keeps the order.
  INSERT INTO site_environments SELECT new.id, max(new.updated_at, max(since)), new.environment FROM site_environments WHERE site_id = new.id
    ON CONFLICT DO UPDATE SET environment = excluded.environment;
END;

-- The only row that an unchanged sync writes. Narrow, and in order of the site's id: check-in minutes are handed
-- out in that order too, so that neighbours in time are neighbours here.
CREATE TABLE site_contacts (
  site_id       INTEGER PRIMARY KEY REFERENCES sites (id),
  last_sync_at  INTEGER,
  generated_at  INTEGER,                               -- the newest accepted
  content_hash  BLOB,                                  -- SHA-256 of the normalized inventory
  sync_id       INTEGER,
  cron_last_run INTEGER,
  report_errors INTEGER,
  report_warnings INTEGER,
  watch_at      INTEGER                                -- when to look whether it has gone silent; moved by the watcher, not by syncs
) STRICT;
CREATE INDEX site_contacts_watch ON site_contacts (watch_at) WHERE watch_at IS NOT NULL;
CREATE INDEX site_contacts_last  ON site_contacts (last_sync_at, site_id); -- the list by last contact: the one index that an unchanged sync moves, once

-- Exactly the newest accepted inventory of each site.
CREATE TABLE site_modules (
  site_id        INTEGER NOT NULL REFERENCES sites (id),
  module_id      INTEGER NOT NULL REFERENCES modules (id),
  version_id     INTEGER NOT NULL REFERENCES module_versions (id),
  enabled        INTEGER NOT NULL,
  run_started_at INTEGER,                              -- since when this version runs enabled; NULL: disabled
  first_seen_at  INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  components     TEXT,                                 -- JSON list of names; NULL: none told
  composer       TEXT,
  PRIMARY KEY (site_id, module_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX site_modules_version ON site_modules (version_id, site_id, enabled); -- who runs this version

-- Enabled runs of a version that have ended: with site_modules, the whole history of what ran when.
CREATE TABLE module_runs (
  site_id       INTEGER NOT NULL,
  module_id     INTEGER NOT NULL,
  started_at    INTEGER NOT NULL,
  version_id    INTEGER NOT NULL REFERENCES module_versions (id),
  ended_at      INTEGER NOT NULL,
  ended_by_sync INTEGER,
  PRIMARY KEY (site_id, module_id, started_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX module_runs_version ON module_runs (version_id, ended_at); -- who ran this version since a fix's release

-- An accepted inventory that differed from the one before.
CREATE TABLE syncs (
  id            INTEGER PRIMARY KEY,
  site_id       INTEGER NOT NULL REFERENCES sites (id),
  received_at   INTEGER NOT NULL,
  heard_before  INTEGER,                               -- when the site was last heard of before; NULL: never
  generated_at  INTEGER NOT NULL,
  agent         TEXT    NOT NULL DEFAULT '',
  source        TEXT    NOT NULL,                      -- inventory, composer-lock
  content_hash  BLOB    NOT NULL,
  total         INTEGER NOT NULL,
  added         INTEGER NOT NULL,
  updated       INTEGER NOT NULL,
  downgraded    INTEGER NOT NULL,
  removed       INTEGER NOT NULL,
  unchanged     INTEGER NOT NULL,
  patch_run_id  INTEGER,
  delta         BLOB    NOT NULL                       -- JSON, deflated: what a replay needs (changed entries whole, removed names, site facts)
) STRICT;
CREATE INDEX syncs_site ON syncs (site_id, id);

-- Syncs that were refused after the key was known: the last few of each site, with the reason.
CREATE TABLE refused_syncs (
  id          INTEGER PRIMARY KEY,
  site_id     INTEGER NOT NULL REFERENCES sites (id),
  received_at INTEGER NOT NULL,
  status      INTEGER NOT NULL,
  code        TEXT    NOT NULL,
  detail      TEXT    NOT NULL,
  address     TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX refused_syncs_site ON refused_syncs (site_id, id);
CREATE INDEX refused_syncs_time ON refused_syncs (received_at);

-- One difference between two inventories.
CREATE TABLE events (
  id              INTEGER PRIMARY KEY,
  site_id         INTEGER NOT NULL REFERENCES sites (id),
  organization_id INTEGER NOT NULL,
  sync_id         INTEGER NOT NULL REFERENCES syncs (id),
  module_id       INTEGER NOT NULL REFERENCES modules (id),
  occurred_at     INTEGER NOT NULL,
  kind            TEXT    NOT NULL,                    -- installed, updated, downgraded, removed, enabled, disabled
  from_version    TEXT,
  to_version      TEXT
) STRICT;
CREATE INDEX events_site ON events (site_id, id);
CREATE INDEX events_sync ON events (sync_id);

-- Module updates on a site: seen in its inventory (sync_id), announced by a deploy script (announced_at), or
-- both. Without the first it is claimed, without the second unattributed, with both proved.
CREATE TABLE patch_runs (
  id                       INTEGER PRIMARY KEY,
  site_id                  INTEGER NOT NULL REFERENCES sites (id),
  organization_id          INTEGER NOT NULL,
  sync_id                  INTEGER REFERENCES syncs (id),
  run_at                   INTEGER NOT NULL,           -- of the sync; while it is only claimed, when it was started
  modules_updated          INTEGER NOT NULL,
  modules_downgraded       INTEGER NOT NULL,
  security_patches_applied INTEGER NOT NULL,
  announced_at             INTEGER,
  announced_by             TEXT,                       -- the label of the caller
  performed_by             TEXT,
  ticket                   TEXT,
  commit_ref               TEXT,
  started_at               INTEGER,
  finished_at              INTEGER,
  CHECK (sync_id IS NOT NULL OR announced_at IS NOT NULL)
) STRICT;
CREATE INDEX patch_runs_claimed ON patch_runs (site_id, started_at) WHERE sync_id IS NULL; -- which a sync may prove
CREATE INDEX patch_runs_claims ON patch_runs (run_at) WHERE sync_id IS NULL;  -- the list of what is only claimed
CREATE INDEX patch_runs_site ON patch_runs (site_id, run_at);                 -- the list of a site, newest first
CREATE INDEX patch_runs_organization ON patch_runs (organization_id, run_at); -- of an organization, newest first or since a day
CREATE INDEX patch_runs_time ON patch_runs (run_at);                          -- of everything, likewise

-- Everything that changed the truth, in the order of its commit: what `check --replay` plays again.
CREATE TABLE chronicle (
  seq  INTEGER PRIMARY KEY,
  kind TEXT    NOT NULL,                               -- sync, clock, publication, advisory, site_deleted, site_restored, site_moved
  ref  INTEGER NOT NULL,
  at   INTEGER NOT NULL
) STRICT;
