-- What drupal.org has published: modules, their release histories, and the assessment of each version.

CREATE TABLE modules (
  id                  INTEGER PRIMARY KEY,
  organization_id     INTEGER REFERENCES organizations (id), -- set: that organization's custom code or library; NULL: a drupal.org project
  kind                TEXT    NOT NULL,          -- project, custom, library
  name                TEXT    NOT NULL,
  title               TEXT    NOT NULL DEFAULT '',
  type                TEXT    NOT NULL,          -- core, module, theme, profile, library
  project_status      TEXT,
  supported_branches  TEXT,
  -- how asking drupal.org stands
  feed_state          TEXT    NOT NULL,          -- pending, ok, absent (no such project), failed and unreadable (never had good data), never (not looked up)
  last_error          TEXT,
  failures            INTEGER NOT NULL DEFAULT 0, -- in a row
  last_checked_at     INTEGER,
  last_success_at     INTEGER,
  next_check_at       INTEGER,                   -- NULL: never asked
  asked_at            INTEGER,                   -- the last time that a new version or a person made it due at once
  stale_at            INTEGER,                   -- when its data becomes too old to say "current"; NULL while stale or without data
  stale               INTEGER NOT NULL DEFAULT 0,
  etag                TEXT,
  last_modified       TEXT,
  publication_id      INTEGER,                   -- the newest stored document
  sites_count         INTEGER NOT NULL DEFAULT 0,
  exposed_sites_count INTEGER NOT NULL DEFAULT 0,
  created_at          INTEGER NOT NULL,
  updated_at          INTEGER NOT NULL,
  created_by          TEXT    NOT NULL DEFAULT 'system', -- a sync, or an answer of drupal.org
  updated_by          TEXT    NOT NULL DEFAULT 'system',
  deleted_at          INTEGER                    -- not looked up any more; a site that runs it brings it back
) STRICT;
CREATE UNIQUE INDEX modules_name ON modules (name, ifnull(organization_id, 0), kind);
CREATE INDEX modules_organization ON modules (organization_id, name) WHERE organization_id IS NOT NULL; -- the wall of custom code
CREATE INDEX modules_next_check ON modules (next_check_at) WHERE next_check_at IS NOT NULL; -- due rows are the queue
CREATE INDEX modules_stale ON modules (stale_at) WHERE stale_at IS NOT NULL;
CREATE INDEX modules_deleted ON modules (deleted_at, id) WHERE deleted_at IS NOT NULL; -- what can be restored
CREATE INDEX modules_sites ON modules (sites_count, id);            -- list, most used first
CREATE INDEX modules_exposed ON modules (exposed_sites_count, sites_count, id); -- list, most exposed first, and of those the most used
CREATE INDEX modules_checked ON modules (last_checked_at, id);     -- list, asked longest ago first
CREATE INDEX modules_success ON modules (last_success_at) WHERE feed_state = 'ok' AND sites_count > 0; -- how fresh the oldest data is

-- What q finds in the list of everything: every three letters in a row of a name, folded by the program as it folds
-- what is asked for. Two spaces after it make terms of its last letters, too; the terms themselves find what is
-- shorter than three. A new module is added by what adds the module: with a trigger on that, SQLite would look
-- through all events for references to it.
CREATE VIRTUAL TABLE modules_search USING fts5 (name, title, content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1');
CREATE VIRTUAL TABLE modules_search_terms USING fts5vocab (modules_search, instance);
CREATE TRIGGER modules_renamed AFTER UPDATE OF name, title ON modules WHEN old.name <> new.name OR old.title <> new.title BEGIN
  UPDATE modules_search SET name = fold(new.name) || '  ', title = fold(new.title) || '  ' WHERE rowid = new.id;
END;

-- One row a release history that differed from the one before: the publications from which a replay rebuilds everything.
CREATE TABLE publications (
  id          INTEGER PRIMARY KEY,
  module_id   INTEGER NOT NULL REFERENCES modules (id),
  received_at INTEGER NOT NULL,
  content_hash BLOB   NOT NULL,                 -- SHA-256 of the normalized document
  document    BLOB    NOT NULL                  -- the normalized document: JSON, deflated
) STRICT;
CREATE INDEX publications_module ON publications (module_id, id);

-- The security releases of a module and when each was first known here: the causes of exposures.
CREATE TABLE fixes (
  module_id INTEGER NOT NULL REFERENCES modules (id),
  version   TEXT    NOT NULL,
  date      INTEGER,                            -- its release, milliseconds; NULL: without a usable date
  known_at  INTEGER NOT NULL,
  PRIMARY KEY (module_id, version)
) STRICT, WITHOUT ROWID;

-- One row a distinct (module, version, snapshot date): the assessment is computed once, here.
CREATE TABLE module_versions (
  id                INTEGER PRIMARY KEY,
  module_id         INTEGER NOT NULL REFERENCES modules (id),
  version           TEXT,                       -- NULL: the site could not say
  datestamp         INTEGER NOT NULL DEFAULT 0, -- of development snapshots only, Unix seconds
  status            INTEGER NOT NULL,           -- rank, worst first: see domain::site_status
  reason            TEXT,
  exposed           INTEGER,                    -- 1, 0, NULL: can't tell
  rule              TEXT    NOT NULL DEFAULT '',
  recommended       TEXT,
  latest            TEXT,
  verdict           TEXT    NOT NULL,           -- JSON: the whole assessment
  listed            INTEGER NOT NULL DEFAULT 0, -- the stored history lists this version
  insecure_known_at INTEGER,                    -- since when it is known to be insecure without a fix in its branch
  sites_count       INTEGER NOT NULL DEFAULT 0,
  enabled_count     INTEGER NOT NULL DEFAULT 0,
  assessed_at       INTEGER NOT NULL,
  created_at        INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX module_versions_identity ON module_versions (module_id, ifnull(version, char(0)), datestamp);
