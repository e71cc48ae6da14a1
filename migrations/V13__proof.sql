-- What an agency can prove: the clocks of windows and who had them in hand, and the counts of each day.

CREATE TABLE exposure_events (             -- its clock, and what people did with it
  id INTEGER PRIMARY KEY, exposure_id INTEGER NOT NULL REFERENCES exposures (id),
  kind TEXT NOT NULL,                      -- half, three_quarters, due; assigned, acknowledged, snoozed, woken
  at INTEGER NOT NULL,                     -- the instant itself, whenever it was noticed
  noticed_at INTEGER NOT NULL, actor TEXT NOT NULL DEFAULT 'system', actor_name TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX exposure_events_exposure ON exposure_events (exposure_id, at);
CREATE UNIQUE INDEX exposure_events_once ON exposure_events (exposure_id, kind) WHERE kind IN ('half', 'three_quarters', 'due');

CREATE TABLE exposure_days (               -- windows opened and closed on a day (UTC), kept in the same commit by triggers
  organization_id INTEGER NOT NULL, environment TEXT NOT NULL, risk TEXT NOT NULL, day INTEGER NOT NULL, -- day = ms / 86400000
  opened INTEGER NOT NULL, met INTEGER NOT NULL, breached INTEGER NOT NULL, gone INTEGER NOT NULL,       -- gone: withdrawn, ended
  PRIMARY KEY (organization_id, environment, risk, day)) STRICT, WITHOUT ROWID;
CREATE INDEX exposure_days_day ON exposure_days (day);
CREATE TRIGGER exposure_days_opened AFTER INSERT ON exposures BEGIN
  INSERT INTO exposure_days VALUES (new.organization_id, new.environment, ifnull(new.risk, ''), new.opened_at / 86400000, 1, 0, 0, 0)
    ON CONFLICT DO UPDATE SET opened = opened + 1;
  INSERT INTO exposure_days SELECT new.organization_id, new.environment, ifnull(new.risk, ''), new.closed_at / 86400000,
      0, new.outcome = 'met', new.outcome = 'breached', new.outcome IN ('withdrawn', 'ended') WHERE new.closed_at IS NOT NULL
    ON CONFLICT DO UPDATE SET met = met + excluded.met, breached = breached + excluded.breached, gone = gone + excluded.gone;
END;
CREATE TRIGGER exposure_days_changed AFTER UPDATE OF opened_at, closed_at, outcome, risk ON exposures
  WHEN old.opened_at <> new.opened_at OR old.closed_at IS NOT new.closed_at OR old.outcome IS NOT new.outcome OR old.risk IS NOT new.risk BEGIN
  INSERT INTO exposure_days SELECT old.organization_id, old.environment, ifnull(old.risk, ''), old.opened_at / 86400000, -1, 0, 0, 0
      WHERE old.opened_at <> new.opened_at OR old.risk IS NOT new.risk
    ON CONFLICT DO UPDATE SET opened = opened - 1;
  INSERT INTO exposure_days SELECT new.organization_id, new.environment, ifnull(new.risk, ''), new.opened_at / 86400000, 1, 0, 0, 0
      WHERE old.opened_at <> new.opened_at OR old.risk IS NOT new.risk
    ON CONFLICT DO UPDATE SET opened = opened + 1;
  INSERT INTO exposure_days SELECT old.organization_id, old.environment, ifnull(old.risk, ''), old.closed_at / 86400000,
      0, -(old.outcome = 'met'), -(old.outcome = 'breached'), -(old.outcome IN ('withdrawn', 'ended')) WHERE old.closed_at IS NOT NULL
    ON CONFLICT DO UPDATE SET met = met + excluded.met, breached = breached + excluded.breached, gone = gone + excluded.gone;
  INSERT INTO exposure_days SELECT new.organization_id, new.environment, ifnull(new.risk, ''), new.closed_at / 86400000,
      0, new.outcome = 'met', new.outcome = 'breached', new.outcome IN ('withdrawn', 'ended') WHERE new.closed_at IS NOT NULL
    ON CONFLICT DO UPDATE SET met = met + excluded.met, breached = breached + excluded.breached, gone = gone + excluded.gone;
END;
CREATE TRIGGER exposure_days_merged AFTER DELETE ON exposures BEGIN
  UPDATE exposure_days SET opened = opened - 1 WHERE organization_id = old.organization_id AND environment = old.environment
    AND risk = ifnull(old.risk, '') AND day = old.opened_at / 86400000;
  UPDATE exposure_days SET met = met - (old.outcome = 'met'), breached = breached - (old.outcome = 'breached'),
      gone = gone - (old.outcome IN ('withdrawn', 'ended')) WHERE old.closed_at IS NOT NULL AND organization_id = old.organization_id
    AND environment = old.environment AND risk = ifnull(old.risk, '') AND day = old.closed_at / 86400000;
END;

CREATE TABLE daily_snapshots (             -- what no ledger can tell afterwards
  organization_id INTEGER NOT NULL, environment TEXT NOT NULL, day INTEGER NOT NULL,
  sites INTEGER NOT NULL, exposed INTEGER NOT NULL, not_current INTEGER NOT NULL, silent INTEGER NOT NULL, taken_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, environment, day)) STRICT, WITHOUT ROWID;
CREATE INDEX daily_snapshots_day ON daily_snapshots (day);
-- whoever leaves has nothing in hand any more
CREATE TRIGGER memberships_gone AFTER DELETE ON memberships BEGIN UPDATE exposures SET assignee_id = NULL, assigned_at = NULL
  WHERE assignee_id = old.user_id AND organization_id = old.organization_id AND closed_at IS NULL; END;
CREATE TRIGGER users_gone AFTER UPDATE OF deleted_at ON users WHEN new.deleted_at IS NOT NULL BEGIN UPDATE exposures
  SET assignee_id = NULL, assigned_at = NULL WHERE assignee_id = new.id AND closed_at IS NULL; END;
