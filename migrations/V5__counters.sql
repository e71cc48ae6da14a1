-- Counters follow from their facts in the same commit, by triggers, so that no writer can forget them.
-- `dewline check` recounts each one. A site counts while it isn't deleted.

CREATE TABLE organization_versions (
  version_id      INTEGER NOT NULL,
  organization_id INTEGER NOT NULL,
  sites           INTEGER NOT NULL,
  enabled         INTEGER NOT NULL,
  PRIMARY KEY (version_id, organization_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX organization_versions_organization ON organization_versions (organization_id, version_id); -- the catalogue inside the wall

CREATE TABLE organization_statuses (
  organization_id INTEGER NOT NULL,
  status          INTEGER NOT NULL,
  silent          INTEGER NOT NULL,
  sites           INTEGER NOT NULL,
  open_exposures  INTEGER NOT NULL,                      -- (site, module) pairs with an open window on these sites
  PRIMARY KEY (organization_id, status, silent)
) STRICT, WITHOUT ROWID;

-- What site modules count.
CREATE TRIGGER site_modules_inserted AFTER INSERT ON site_modules BEGIN
  UPDATE module_versions SET sites_count = sites_count + 1, enabled_count = enabled_count + new.enabled WHERE id = new.version_id;
  UPDATE modules SET sites_count = sites_count + 1 WHERE id = new.module_id;
  INSERT INTO organization_versions (version_id, organization_id, sites, enabled)
    SELECT new.version_id, organization_id, 1, new.enabled FROM sites WHERE id = new.site_id
    ON CONFLICT DO UPDATE SET sites = sites + 1, enabled = enabled + excluded.enabled;
END;
CREATE TRIGGER site_modules_deleted AFTER DELETE ON site_modules BEGIN
  UPDATE module_versions SET sites_count = sites_count - 1, enabled_count = enabled_count - old.enabled WHERE id = old.version_id;
  UPDATE modules SET sites_count = sites_count - 1 WHERE id = old.module_id;
  UPDATE organization_versions SET sites = sites - 1, enabled = enabled - old.enabled
    WHERE version_id = old.version_id AND organization_id = (SELECT organization_id FROM sites WHERE id = old.site_id);
END;
CREATE TRIGGER site_modules_updated AFTER UPDATE OF version_id, enabled ON site_modules
  WHEN old.version_id <> new.version_id OR old.enabled <> new.enabled BEGIN
  UPDATE module_versions SET sites_count = sites_count - 1, enabled_count = enabled_count - old.enabled WHERE id = old.version_id;
  UPDATE module_versions SET sites_count = sites_count + 1, enabled_count = enabled_count + new.enabled WHERE id = new.version_id;
  UPDATE organization_versions SET sites = sites - 1, enabled = enabled - old.enabled
    WHERE version_id = old.version_id AND organization_id = (SELECT organization_id FROM sites WHERE id = old.site_id);
  INSERT INTO organization_versions (version_id, organization_id, sites, enabled)
    SELECT new.version_id, organization_id, 1, new.enabled FROM sites WHERE id = new.site_id
    ON CONFLICT DO UPDATE SET sites = sites + 1, enabled = enabled + excluded.enabled;
END;

-- A module's exposed sites: those that run, enabled, a version that is exposed.
CREATE TRIGGER module_versions_exposed AFTER UPDATE OF exposed, enabled_count ON module_versions
  WHEN (old.exposed IS 1) * old.enabled_count <> (new.exposed IS 1) * new.enabled_count BEGIN
  UPDATE modules SET exposed_sites_count = exposed_sites_count
      + (new.exposed IS 1) * new.enabled_count - (old.exposed IS 1) * old.enabled_count WHERE id = new.module_id;
END;

-- What sites count.
CREATE TRIGGER sites_inserted AFTER INSERT ON sites WHEN new.deleted_at IS NULL BEGIN
  INSERT INTO organization_statuses VALUES (new.organization_id, new.status, new.silent_since IS NOT NULL, 1, new.open_exposures)
    ON CONFLICT DO UPDATE SET sites = sites + 1, open_exposures = open_exposures + excluded.open_exposures;
END;
CREATE TRIGGER sites_updated AFTER UPDATE OF status, silent_since, open_exposures, deleted_at ON sites
  WHEN old.status <> new.status OR old.open_exposures <> new.open_exposures OR (old.silent_since IS NULL) <> (new.silent_since IS NULL)
    OR (old.deleted_at IS NULL) <> (new.deleted_at IS NULL) BEGIN
  UPDATE organization_statuses SET sites = sites - 1, open_exposures = open_exposures - old.open_exposures
    WHERE organization_id = old.organization_id AND status = old.status AND silent = (old.silent_since IS NOT NULL) AND old.deleted_at IS NULL;
  INSERT INTO organization_statuses
    SELECT new.organization_id, new.status, new.silent_since IS NOT NULL, 1, new.open_exposures WHERE new.deleted_at IS NULL
    ON CONFLICT DO UPDATE SET sites = sites + 1, open_exposures = open_exposures + excluded.open_exposures;
END;
CREATE TRIGGER sites_deleted AFTER UPDATE OF deleted_at ON sites
  WHEN (old.deleted_at IS NULL) <> (new.deleted_at IS NULL) BEGIN
  UPDATE modules SET sites_count = sites_count + iif(new.deleted_at IS NULL, 1, -1)
    FROM site_modules AS sm WHERE sm.site_id = new.id AND modules.id = sm.module_id;
  UPDATE module_versions SET sites_count = sites_count + iif(new.deleted_at IS NULL, 1, -1),
      enabled_count = enabled_count + iif(new.deleted_at IS NULL, 1, -1) * sm.enabled
    FROM site_modules AS sm WHERE sm.site_id = new.id AND module_versions.id = sm.version_id;
  UPDATE organization_versions SET sites = sites + iif(new.deleted_at IS NULL, 1, -1),
      enabled = organization_versions.enabled + iif(new.deleted_at IS NULL, 1, -1) * sm.enabled
    FROM site_modules AS sm WHERE sm.site_id = new.id AND organization_versions.version_id = sm.version_id
      AND organization_versions.organization_id = new.organization_id;
END;
