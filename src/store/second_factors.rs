//! Second factors: each person's sealed secret, backup codes, and wrong codes in a row. Times are
//! milliseconds since 1970.

use rusqlite::{OptionalExtension, params};

use super::{Connection, Result};

/// A person's second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// The app's secret, encrypted.
    pub secret_sealed: Vec<u8>,
    /// Since when it is asked for; `None`: no code of the app has come yet.
    pub enabled_at: Option<i64>,
    /// The time step of the last code that was taken.
    pub last_step: i64,
    /// When the secret was made.
    pub created_at: i64,
}

/// A secret waits so long for its first code, in milliseconds.
const WAITS: i64 = 3_600_000;

impl SecondFactor {
    /// It is asked for, or can still be switched on by its first code.
    pub fn is_good(&self, now: i64) -> bool {
        self.enabled_at.is_some() || now < self.created_at.saturating_add(WAITS)
    }
}

/// An organization of a person's that needs a second factor of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The organization.
    pub organization_id: i64,
    /// Its name.
    pub name: String,
    /// From when on.
    pub from: i64,
}

/// The person's second factor, enabled or about to be.
///
/// # Errors
/// What SQLite says.
pub fn find(db: &Connection, user_id: i64) -> Result<Option<SecondFactor>> {
    Ok(db
        .prepare_cached(
            "SELECT secret_sealed, enabled_at, last_step, created_at FROM second_factors WHERE user_id = ?1",
        )?
        .query_row([user_id], |row| {
            Ok(SecondFactor {
                secret_sealed: row.get(0)?,
                enabled_at: row.get(1)?,
                last_step: row.get(2)?,
                created_at: row.get(3)?,
            })
        })
        .optional()?)
}

/// The person is asked for a second factor at sign-in.
///
/// # Errors
/// What SQLite says.
pub fn is_enabled(db: &Connection, user_id: i64) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT 1 FROM second_factors WHERE user_id = ?1 AND enabled_at IS NOT NULL",
        )?
        .exists([user_id])?)
}

/// Keeps a new secret that waits for its first code, instead of one that waited before.
///
/// # Errors
/// What SQLite says.
pub fn propose(db: &Connection, user_id: i64, sealed: &[u8], now: i64) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO second_factors (user_id, secret_sealed, created_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (user_id) DO UPDATE SET secret_sealed = excluded.secret_sealed,
           enabled_at = NULL, last_step = 0, created_at = excluded.created_at",
    )?
    .execute(params![user_id, sealed, now])?;
    Ok(())
}

/// Members of an organization who have none, and all its members; whoever was only invited counts in neither.
///
/// # Errors
/// What SQLite says.
pub fn lacking(db: &Connection, organization_id: i64) -> Result<(i64, i64)> {
    Ok(db
        .prepare_cached(
            "SELECT count(*) - count(f.user_id), count(*) FROM memberships AS m JOIN users AS u ON u.id = m.user_id
                LEFT JOIN second_factors AS f ON f.user_id = m.user_id AND f.enabled_at IS NOT NULL
             WHERE m.organization_id = ?1 AND u.deleted_at IS NULL AND u.password_hash IS NOT NULL",
        )?
        .query_row([organization_id], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// From now on it is asked for.
///
/// # Errors
/// What SQLite says.
pub fn enable(db: &Connection, user_id: i64, now: i64) -> Result<()> {
    db.prepare_cached("UPDATE second_factors SET enabled_at = ?2 WHERE user_id = ?1")?
        .execute(params![user_id, now])?;
    Ok(())
}

/// Takes a code of that time step: this one and earlier ones are not taken again.
/// `false`: it had been taken.
///
/// # Errors
/// What SQLite says.
pub fn take_step(db: &Connection, user_id: i64, step: i64) -> Result<bool> {
    let taken = db
        .prepare_cached(
            "UPDATE second_factors SET last_step = ?2 WHERE user_id = ?1 AND last_step < ?2",
        )?
        .execute(params![user_id, step])?;
    Ok(taken > 0)
}

/// Removes the second factor, its backup codes and what is known of wrong ones.
/// `false`: there was none.
///
/// # Errors
/// What SQLite says.
pub fn remove(db: &Connection, user_id: i64) -> Result<bool> {
    db.prepare_cached("DELETE FROM backup_codes WHERE user_id = ?1")?
        .execute([user_id])?;
    db.prepare_cached("DELETE FROM wrong_codes WHERE user_id = ?1")?
        .execute([user_id])?;
    let removed = db
        .prepare_cached("DELETE FROM second_factors WHERE user_id = ?1")?
        .execute([user_id])?;
    Ok(removed > 0)
}

/// Replaces all backup codes by these.
///
/// # Errors
/// What SQLite says.
pub fn replace_backup_codes(
    db: &Connection,
    user_id: i64,
    hashes: &[[u8; 32]],
    now: i64,
) -> Result<()> {
    db.prepare_cached("DELETE FROM backup_codes WHERE user_id = ?1")?
        .execute([user_id])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO backup_codes (user_id, code_hash, created_at) VALUES (?1, ?2, ?3)",
    )?;
    for hash in hashes {
        insert.execute(params![user_id, hash, now])?;
    }
    Ok(())
}

/// Takes a backup code. `false`: there is none of that hash, or it was used.
///
/// # Errors
/// What SQLite says.
pub fn take_backup_code(db: &Connection, user_id: i64, hash: &[u8; 32], now: i64) -> Result<bool> {
    let taken = db
        .prepare_cached(
            "UPDATE backup_codes SET used_at = ?3
              WHERE user_id = ?1 AND code_hash = ?2 AND used_at IS NULL",
        )?
        .execute(params![user_id, hash, now])?;
    Ok(taken > 0)
}

/// How many backup codes are unused.
///
/// # Errors
/// What SQLite says.
pub fn backup_codes_left(db: &Connection, user_id: i64) -> Result<i64> {
    Ok(db
        .prepare_cached("SELECT count(*) FROM backup_codes WHERE user_id = ?1 AND used_at IS NULL")?
        .query_row([user_id], |row| row.get(0))?)
}

/// Until when an app's codes are not looked at, from that browser; 0 where they are.
///
/// # Errors
/// What SQLite says.
pub fn refused_until(db: &Connection, user_id: i64, device_id: i64) -> Result<i64> {
    let found = db
        .prepare_cached(
            "SELECT refused_until FROM wrong_codes WHERE user_id = ?1 AND device_id = ?2",
        )?
        .query_row([user_id, device_id], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(0))
}

/// Counts one more wrong code from that browser and says how many there are in a row.
///
/// # Errors
/// What SQLite says.
pub fn count_wrong(db: &Connection, user_id: i64, device_id: i64) -> Result<i64> {
    Ok(db
        .prepare_cached(
            "INSERT INTO wrong_codes (user_id, device_id, wrong) VALUES (?1, ?2, 1)
             ON CONFLICT (user_id, device_id) DO UPDATE SET wrong = wrong + 1
             RETURNING wrong",
        )?
        .query_row([user_id, device_id], |row| row.get(0))?)
}

/// From now until `until` an app's codes from that browser are not looked at.
///
/// # Errors
/// What SQLite says.
pub fn refuse_until(db: &Connection, user_id: i64, device_id: i64, until: i64) -> Result<()> {
    db.prepare_cached(
        "UPDATE wrong_codes SET refused_until = ?3 WHERE user_id = ?1 AND device_id = ?2",
    )?
    .execute([user_id, device_id, until])?;
    Ok(())
}

/// A right code came from that browser: wrong ones before it don't count any more.
///
/// # Errors
/// What SQLite says.
pub fn forget_wrong(db: &Connection, user_id: i64, device_id: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM wrong_codes WHERE user_id = ?1 AND device_id = ?2")?
        .execute([user_id, device_id])?;
    Ok(())
}

/// The organizations of the person that need a second factor of their members, now or later, the
/// soonest first.
///
/// # Errors
/// What SQLite says.
pub fn required_by(db: &Connection, user_id: i64) -> Result<Vec<Requirement>> {
    let mut prepared = db.prepare_cached(
        "SELECT o.id, o.name, o.second_factor_from
           FROM memberships AS m JOIN organizations AS o ON o.id = m.organization_id
          WHERE m.user_id = ?1 AND o.deleted_at IS NULL AND o.second_factor_from IS NOT NULL",
    )?;
    let found = prepared.query_map([user_id], |row| {
        Ok(Requirement {
            organization_id: row.get(0)?,
            name: row.get(1)?,
            from: row.get(2)?,
        })
    })?;
    let mut found: Vec<Requirement> = found.collect::<rusqlite::Result<_>>()?;
    found.sort_by_key(|required| (required.from, required.organization_id));
    Ok(found)
}
