-- What an agency can prove: the clocks of windows and who had them in hand, and the counts of each day.

CREATE TABLE exposure_events (             -- its clock, and what people did with it
  id INTEGER PRIMARY KEY, exposure_id INTEGER NOT NULL REFERENCES exposures (id),
  kind TEXT NOT NULL,                      -- half, three_quarters, due; assigned, acknowledged, snoozed, woken
  at INTEGER NOT NULL,                     -- the instant itself, whenever it was noticed
  noticed_at INTEGER NOT NULL, actor TEXT NOT NULL DEFAULT 'system', actor_name TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX exposure_events_exposure ON exposure_events (exposure_id, at);
CREATE UNIQUE INDEX exposure_events_once ON exposure_events (exposure_id, kind) WHERE kind IN ('half', 'three_quarters', 'due');

CREATE TABLE daily_snapshots (             -- what no ledger can tell afterwards
  organization_id INTEGER NOT NULL, environment TEXT NOT NULL, day INTEGER NOT NULL,
  sites INTEGER NOT NULL, exposed INTEGER NOT NULL, not_current INTEGER NOT NULL, silent INTEGER NOT NULL, taken_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, environment, day)) STRICT, WITHOUT ROWID;
CREATE INDEX daily_snapshots_day ON daily_snapshots (day);
