-- The ledger: windows in which a site ran something with a known security fix outstanding. Rows are never deleted.

CREATE TABLE exposures (
  id                     INTEGER PRIMARY KEY AUTOINCREMENT, -- two windows can turn out to be one: the id of the other is nobody's again
  organization_id        INTEGER NOT NULL,
  site_id                INTEGER NOT NULL REFERENCES sites (id),
  environment            TEXT    NOT NULL,             -- the site's when the window opened
  module_id              INTEGER NOT NULL REFERENCES modules (id),
  version_id             INTEGER NOT NULL REFERENCES module_versions (id), -- installed: the newest affected version of the window
  cause_kind             TEXT    NOT NULL,             -- release, advisory, project
  cause                  TEXT    NOT NULL,             -- the release's version, the SA id, the project's name
  no_fix                 INTEGER NOT NULL,
  risk                   TEXT,                         -- NULL: unknown
  published_at           INTEGER,
  opened_at              INTEGER NOT NULL,
  known_at               INTEGER NOT NULL,
  due_at                 INTEGER,
  warn_at                INTEGER,                      -- when to look at its clock next; 0: at once; NULL: nothing more to tell
  unproven_since         INTEGER,
  closed_at              INTEGER,
  outcome                TEXT,                         -- met, breached, withdrawn, ended; NULL while open
  closed_by_sync_id      INTEGER,
  closed_by_patch_run_id INTEGER,
  -- who has it in hand: changes neither state nor due time nor any count
  assignee_id            INTEGER REFERENCES users (id),
  assigned_at            INTEGER,
  acknowledged_at        INTEGER,
  acknowledged_by        TEXT,
  snoozed_until          INTEGER,
  snooze_reason          TEXT,
  snoozed_by             TEXT,
  created_at             INTEGER NOT NULL,
  updated_at             INTEGER NOT NULL,
  CHECK (opened_at <= known_at OR closed_at IS NOT NULL),
  CHECK ((closed_at IS NULL) = (outcome IS NULL))
) STRICT;
CREATE UNIQUE INDEX exposures_open ON exposures (site_id, module_id, cause_kind, cause) WHERE closed_at IS NULL; -- at most one open row
CREATE INDEX exposures_site   ON exposures (site_id, module_id, opened_at);
CREATE INDEX exposures_due    ON exposures (ifnull(due_at, 9223372036854775807)) WHERE closed_at IS NULL; -- the work list
CREATE INDEX exposures_by_due ON exposures (ifnull(due_at, 9223372036854775807));                   -- every window by its due time
CREATE INDEX exposures_opened ON exposures (opened_at, id);                                         -- every window, newest first
CREATE INDEX exposures_newest ON exposures (opened_at) WHERE closed_at IS NULL;                     -- open ones, newest first
CREATE INDEX exposures_closed ON exposures (closed_at, environment, outcome, opened_at, organization_id)
  WHERE closed_at IS NOT NULL;                                                                      -- how long patching took, without the rows
CREATE INDEX exposures_organization ON exposures (organization_id, opened_at, id);
CREATE INDEX exposures_organization_due ON exposures (organization_id, ifnull(due_at, 9223372036854775807)) WHERE closed_at IS NULL; -- the work list of an organization
CREATE INDEX exposures_by_risk ON exposures (risk, opened_at);                                      -- every window of one risk, newest first
CREATE INDEX exposures_module ON exposures (module_id, opened_at);
CREATE INDEX exposures_warn ON exposures (warn_at) WHERE warn_at IS NOT NULL;                      -- whose clock is to be looked at
CREATE INDEX exposures_assignee ON exposures (assignee_id, ifnull(due_at, 9223372036854775807)) WHERE closed_at IS NULL AND assignee_id IS NOT NULL; -- mine
CREATE INDEX exposures_snoozed ON exposures (ifnull(due_at, 9223372036854775807)) WHERE closed_at IS NULL AND snoozed_until IS NOT NULL; -- what was put aside
CREATE INDEX exposures_no_fix ON exposures (ifnull(due_at, 9223372036854775807)) WHERE closed_at IS NULL AND no_fix = 1; -- what nothing fixes
CREATE INDEX exposures_modules ON exposures (module_id, organization_id, site_id) WHERE closed_at IS NULL; -- open ones by module
CREATE INDEX exposures_promised ON exposures (environment, due_at, organization_id, risk, outcome, opened_at, closed_at, site_id, module_id)
  WHERE due_at IS NOT NULL;                                                                         -- what was due in a month, without the rows
CREATE INDEX exposures_patch_run ON exposures (closed_by_patch_run_id) WHERE closed_by_patch_run_id IS NOT NULL;

-- Modules whose versions were judged anew and whose sites have not all been told yet. Restartable: telling a site twice changes nothing.
CREATE TABLE fanouts (
  module_id    INTEGER PRIMARY KEY REFERENCES modules (id),
  requested_at INTEGER NOT NULL,
  generation   INTEGER NOT NULL,                       -- raised by each request: what was asked for again isn't done
  version_ids  TEXT    NOT NULL                        -- JSON list
) STRICT;

-- Sites that could not be told with the others: a fault of ours. They hold nobody up, and are tried again.
CREATE TABLE left_untold (
  module_id    INTEGER NOT NULL REFERENCES modules (id),
  site_id      INTEGER NOT NULL REFERENCES sites (id),
  requested_at INTEGER NOT NULL,                       -- of the fan-out that left it: what it told is told as of then
  next_try_at  INTEGER NOT NULL,
  error        TEXT    NOT NULL,
  PRIMARY KEY (site_id, module_id, requested_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX left_untold_due ON left_untold (next_try_at);
CREATE INDEX left_untold_module ON left_untold (module_id);
