-- What pages and dashboards count of the ledger, kept in the same commit by triggers: so a question costs
-- days and organizations, not windows. Rows of organization 0 are all organizations together.

CREATE TABLE exposure_days (
  organization_id INTEGER NOT NULL,
  environment     TEXT    NOT NULL,
  risk            TEXT    NOT NULL,          -- empty: unknown
  day             INTEGER NOT NULL,          -- UTC: milliseconds / 86400000
  opened          INTEGER NOT NULL,          -- opened on that day
  met             INTEGER NOT NULL,          -- closed on that day, in time
  breached        INTEGER NOT NULL,          -- closed on that day, late
  gone            INTEGER NOT NULL,          -- withdrawn or ended on that day
  due_open        INTEGER NOT NULL,          -- due on that day and open
  due_met         INTEGER NOT NULL,          -- due on that day and closed in time
  due_breached    INTEGER NOT NULL,          -- due on that day and closed late
  PRIMARY KEY (organization_id, environment, risk, day)
) STRICT, WITHOUT ROWID;

-- A window that comes (1) or goes (-1), told to the days on which it opened, closed and was due; where
-- opened_at is NULL its opening is left as it is.
CREATE VIEW exposure_tellings AS
  SELECT 1 AS sign, organization_id, environment, risk, opened_at, closed_at, due_at, outcome FROM exposures;
CREATE TRIGGER exposure_tellings_told INSTEAD OF INSERT ON exposure_tellings BEGIN
  INSERT INTO exposure_days
    SELECT o.id, new.environment, ifnull(new.risk, ''), new.opened_at / 86400000, new.sign, 0, 0, 0, 0, 0, 0
      FROM (SELECT 0 AS id UNION ALL SELECT new.organization_id) AS o WHERE new.opened_at IS NOT NULL
    ON CONFLICT DO UPDATE SET opened = opened + excluded.opened;
  INSERT INTO exposure_days
    SELECT o.id, new.environment, ifnull(new.risk, ''), new.closed_at / 86400000, 0, new.sign * (new.outcome = 'met'),
        new.sign * (new.outcome = 'breached'), new.sign * (new.outcome IN ('withdrawn', 'ended')), 0, 0, 0
      FROM (SELECT 0 AS id UNION ALL SELECT new.organization_id) AS o WHERE new.closed_at IS NOT NULL
    ON CONFLICT DO UPDATE SET met = met + excluded.met, breached = breached + excluded.breached, gone = gone + excluded.gone;
  INSERT INTO exposure_days
    SELECT o.id, new.environment, ifnull(new.risk, ''), new.due_at / 86400000, 0, 0, 0, 0, new.sign * (new.outcome IS NULL),
        new.sign * (new.outcome IS 'met'), new.sign * (new.outcome IS 'breached')
      FROM (SELECT 0 AS id UNION ALL SELECT new.organization_id) AS o
      WHERE new.due_at IS NOT NULL AND (new.outcome IS NULL OR new.outcome IN ('met', 'breached'))
    ON CONFLICT DO UPDATE SET due_open = due_open + excluded.due_open, due_met = due_met + excluded.due_met,
      due_breached = due_breached + excluded.due_breached;
END;
CREATE TRIGGER exposure_days_opened AFTER INSERT ON exposures BEGIN
  INSERT INTO exposure_tellings VALUES (1, new.organization_id, new.environment, new.risk, new.opened_at, new.closed_at, new.due_at, new.outcome);
END;
CREATE TRIGGER exposure_days_changed AFTER UPDATE OF opened_at, closed_at, due_at, outcome, risk ON exposures
  WHEN old.opened_at <> new.opened_at OR old.closed_at IS NOT new.closed_at OR old.due_at IS NOT new.due_at
    OR old.outcome IS NOT new.outcome OR old.risk IS NOT new.risk BEGIN
  INSERT INTO exposure_tellings VALUES (-1, old.organization_id, old.environment, old.risk,
    iif(old.opened_at = new.opened_at AND old.risk IS new.risk, NULL, old.opened_at), old.closed_at, old.due_at, old.outcome);
  INSERT INTO exposure_tellings VALUES (1, new.organization_id, new.environment, new.risk,
    iif(old.opened_at = new.opened_at AND old.risk IS new.risk, NULL, new.opened_at), new.closed_at, new.due_at, new.outcome);
END;
CREATE TRIGGER exposure_days_merged AFTER DELETE ON exposures BEGIN
  INSERT INTO exposure_tellings VALUES (-1, old.organization_id, old.environment, old.risk, old.opened_at, old.closed_at, old.due_at, old.outcome);
END;

-- A module of a site with a window open: one thing to do there, however many causes it has.
CREATE TABLE open_pairs (
  site_id         INTEGER NOT NULL,
  module_id       INTEGER NOT NULL,
  organization_id INTEGER NOT NULL,
  due_at          INTEGER NOT NULL,          -- the earliest of its windows; 9223372036854775807: nobody promised a time
  exposure_id     INTEGER NOT NULL,          -- that window
  risk            INTEGER NOT NULL,          -- the worst of its windows: see domain::exposure::Risk::RANKED
  PRIMARY KEY (site_id, module_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX open_pairs_due ON open_pairs (due_at, exposure_id);
CREATE INDEX open_pairs_organization ON open_pairs (organization_id, due_at, exposure_id);
CREATE INDEX open_pairs_module ON open_pairs (module_id, organization_id);

-- Those pairs by the day on which they are due.
CREATE TABLE open_pair_days (
  organization_id INTEGER NOT NULL,
  day             INTEGER NOT NULL,          -- UTC: milliseconds / 86400000
  risk            INTEGER NOT NULL,
  pairs           INTEGER NOT NULL,
  PRIMARY KEY (organization_id, day, risk)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER open_pairs_inserted AFTER INSERT ON open_pairs BEGIN
  INSERT INTO open_pair_days VALUES (0, new.due_at / 86400000, new.risk, 1), (new.organization_id, new.due_at / 86400000, new.risk, 1)
    ON CONFLICT DO UPDATE SET pairs = pairs + 1;
END;
CREATE TRIGGER open_pairs_deleted AFTER DELETE ON open_pairs BEGIN
  UPDATE open_pair_days SET pairs = pairs - 1
    WHERE organization_id IN (0, old.organization_id) AND day = old.due_at / 86400000 AND risk = old.risk;
  DELETE FROM open_pair_days
    WHERE organization_id IN (0, old.organization_id) AND day = old.due_at / 86400000 AND risk = old.risk AND pairs = 0;
END;

-- What is open on a module of a site, looked at anew.
CREATE VIEW open_pair_looks AS
  SELECT site_id, module_id, organization_id, ifnull(due_at, 9223372036854775807) AS due_at, id AS exposure_id,
    CASE risk WHEN 'highly_critical' THEN 0 WHEN 'critical' THEN 1 WHEN 'moderately_critical' THEN 2
      WHEN 'less_critical' THEN 4 WHEN 'not_critical' THEN 5 ELSE 3 END AS risk
  FROM exposures WHERE closed_at IS NULL;
CREATE TRIGGER open_pair_looks_taken INSTEAD OF INSERT ON open_pair_looks BEGIN
  DELETE FROM open_pairs WHERE site_id = new.site_id AND module_id = new.module_id;
  INSERT INTO open_pairs
    SELECT site_id, module_id, organization_id, due_at, exposure_id,
      (SELECT min(risk) FROM open_pair_looks WHERE site_id = new.site_id AND module_id = new.module_id)
    FROM open_pair_looks WHERE site_id = new.site_id AND module_id = new.module_id ORDER BY due_at, exposure_id LIMIT 1;
END;
CREATE TRIGGER open_pairs_opened AFTER INSERT ON exposures WHEN new.closed_at IS NULL BEGIN
  INSERT INTO open_pair_looks (site_id, module_id) VALUES (new.site_id, new.module_id);
END;
CREATE TRIGGER open_pairs_changed AFTER UPDATE OF closed_at, due_at, risk ON exposures
  WHEN old.closed_at IS NOT new.closed_at OR (new.closed_at IS NULL AND (old.due_at IS NOT new.due_at OR old.risk IS NOT new.risk)) BEGIN
  INSERT INTO open_pair_looks (site_id, module_id) VALUES (new.site_id, new.module_id);
END;
CREATE TRIGGER open_pairs_merged AFTER DELETE ON exposures WHEN old.closed_at IS NULL BEGIN
  INSERT INTO open_pair_looks (site_id, module_id) VALUES (old.site_id, old.module_id);
END;
