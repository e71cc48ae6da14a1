//! What a person holds, organization by organization, and sets of permissions.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::access::{Permission, Sight};

/// A set of permissions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Permissions(u32);

impl Permissions {
    /// None.
    pub const NONE: Self = Self(0);
    /// Every one.
    pub const ALL: Self = Self(u32::MAX >> (32 - Permission::ALL.len()));

    /// These.
    pub fn of(all: &[Permission]) -> Self {
        all.iter().copied().collect()
    }

    /// It is among them.
    pub fn contains(self, permission: Permission) -> bool {
        self.0 & bit(permission) != 0
    }

    /// There is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that `other` lacks.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// In the order in which they are shown.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL
            .into_iter()
            .filter(move |permission| self.contains(*permission))
    }
}

fn bit(permission: Permission) -> u32 {
    1 << (permission as u32)
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<T: IntoIterator<Item = Permission>>(all: T) -> Self {
        Self(all.into_iter().fold(0, |set, one| set | bit(one)))
    }
}

impl std::fmt::Debug for Permissions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set()
            .entries(self.iter().map(Permission::word))
            .finish()
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let words: Vec<Permission> = Vec::deserialize(from)?;
        Ok(words.into_iter().collect())
    }
}

/// What is held in one organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The organization.
    pub organization_id: i64,
    /// What the role there says.
    pub permissions: Permissions,
    /// From then on nothing is held there, for want of the second factor that the organization asks for.
    pub until: Option<Timestamp>,
}

/// What a person holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants {
    /// All in all.
    pub platform: bool,
    /// The memberships, in the order of the organizations' ids.
    held: Vec<Held>,
}

impl Grants {
    /// These memberships.
    pub fn new(platform: bool, mut held: Vec<Held>) -> Self {
        held.sort_unstable_by_key(|held| held.organization_id);
        Self { platform, held }
    }

    /// What is left of them at that instant: the same where nothing has run out.
    #[must_use]
    pub fn at(self: &Arc<Self>, now: Timestamp) -> Arc<Self> {
        let over = |held: &Held| held.until.is_some_and(|until| until <= now);
        if !self.held.iter().any(over) {
            return Arc::clone(self);
        }
        let held = self.held.iter().map(|held| Held {
            permissions: if over(held) {
                Permissions::NONE
            } else {
                held.permissions
            },
            ..*held
        });
        Arc::new(Self {
            platform: self.platform,
            held: held.collect(),
        })
    }

    /// What is held in that organization.
    pub fn permissions_in(&self, organization: i64) -> Permissions {
        if self.platform {
            return Permissions::ALL;
        }
        self.held
            .binary_search_by_key(&organization, |held| held.organization_id)
            .ok()
            .and_then(|at| self.held.get(at))
            .map_or(Permissions::NONE, |held| held.permissions)
    }

    /// The organizations in which the permission is held.
    pub fn sight(&self, permission: Permission) -> Sight {
        if self.platform {
            return Sight::All;
        }
        let ids = self
            .held
            .iter()
            .filter(|held| held.permissions.contains(permission))
            .map(|held| held.organization_id);
        Sight::Organizations(ids.collect())
    }

    /// The memberships.
    pub fn held(&self) -> &[Held] {
        &self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(organization_id: i64, permissions: &[Permission]) -> Held {
        Held {
            organization_id,
            permissions: Permissions::of(permissions),
            until: None,
        }
    }

    #[test]
    fn every_permission_has_its_own_place_in_a_set() {
        for one in Permission::ALL {
            let set = Permissions::of(&[one]);
            assert_eq!(set.iter().collect::<Vec<_>>(), [one]);
            assert!(Permissions::ALL.contains(one));
        }
        let all: Permissions = Permission::ALL.into_iter().collect();
        assert_eq!(all, Permissions::ALL);
    }

    #[test]
    fn a_person_sees_the_organizations_in_which_he_holds_the_permission() {
        let grants = Grants::new(
            false,
            vec![
                held(9, &[Permission::SitesRead]),
                held(3, &[Permission::SitesRead, Permission::SitesWrite]),
            ],
        );
        assert_eq!(
            grants.sight(Permission::SitesRead).organizations(),
            Some([3, 9].as_slice())
        );
        assert_eq!(
            grants.sight(Permission::SitesWrite).only_organization(),
            Some(3)
        );
        assert!(grants.sight(Permission::AuditRead).is_empty());
        assert!(grants.permissions_in(4).is_empty());
    }

    #[test]
    fn what_an_organization_suspends_is_held_nowhere_else() {
        let now = Timestamp::UNIX_EPOCH;
        let mut late = held(3, &[Permission::SitesRead]);
        late.until = Some(now);
        let grants = Arc::new(Grants::new(
            false,
            vec![late, held(9, &[Permission::SitesRead])],
        ));
        let left = grants.at(now);
        assert_eq!(
            left.sight(Permission::SitesRead).only_organization(),
            Some(9)
        );
        let before = now - jiff::SignedDuration::from_millis(1);
        assert_eq!(grants.at(before), grants);
    }
}
