//! Who is asking, what he may do, and what he may see.
//!
//! Every service takes an [`Actor`] and begins with [`Actor::require`], which gives the [`Sight`] of
//! that permission: the organizations in which the caller holds it. Every list filters by it. A person
//! holds what his roles say, organization by organization; the platform administrator holds all in all;
//! a key holds what its scopes say and whoever made it holds now.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::grants::{Grants, Permissions};

/// One thing that may be done, as a `resource:action` word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Permission {
    /// Send the inventory of a site.
    #[serde(rename = "sync")]
    Sync,
    /// See organizations.
    #[serde(rename = "organizations:read")]
    OrganizationsRead,
    /// Change organizations and what they ask of their members.
    #[serde(rename = "organizations:manage")]
    OrganizationsManage,
    /// See sites, what they run, and their history.
    #[serde(rename = "sites:read")]
    SitesRead,
    /// Create and change sites.
    #[serde(rename = "sites:write")]
    SitesWrite,
    /// Delete and restore sites.
    #[serde(rename = "sites:delete")]
    SitesDelete,
    /// See the catalogue.
    #[serde(rename = "modules:read")]
    ModulesRead,
    /// Ask drupal.org for a module now.
    #[serde(rename = "modules:write")]
    ModulesWrite,
    /// See reports.
    #[serde(rename = "reports:read")]
    ReportsRead,
    /// Export reports.
    #[serde(rename = "reports:export")]
    ReportsExport,
    /// Invite people, give them roles and take these away.
    #[serde(rename = "users:manage")]
    UsersManage,
    /// Make and change the organization's own roles.
    #[serde(rename = "roles:manage")]
    RolesManage,
    /// Make, change, rotate and revoke API keys.
    #[serde(rename = "api_keys:manage")]
    ApiKeysManage,
    /// See what was sent to whom, and send it again.
    #[serde(rename = "notifications:manage")]
    NotificationsManage,
    /// Read the audit log.
    #[serde(rename = "audit:read")]
    AuditRead,
    /// See background jobs.
    #[serde(rename = "jobs:read")]
    JobsRead,
    /// Start background jobs again and cancel them.
    #[serde(rename = "jobs:manage")]
    JobsManage,
    /// Change the organization's settings.
    #[serde(rename = "settings:manage")]
    SettingsManage,
}

impl Permission {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 18] = [
        Self::Sync,
        Self::OrganizationsRead,
        Self::OrganizationsManage,
        Self::SitesRead,
        Self::SitesWrite,
        Self::SitesDelete,
        Self::ModulesRead,
        Self::ModulesWrite,
        Self::ReportsRead,
        Self::ReportsExport,
        Self::UsersManage,
        Self::RolesManage,
        Self::ApiKeysManage,
        Self::NotificationsManage,
        Self::AuditRead,
        Self::JobsRead,
        Self::JobsManage,
        Self::SettingsManage,
    ];

    /// The word that stands for it in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::OrganizationsRead => "organizations:read",
            Self::OrganizationsManage => "organizations:manage",
            Self::SitesRead => "sites:read",
            Self::SitesWrite => "sites:write",
            Self::SitesDelete => "sites:delete",
            Self::ModulesRead => "modules:read",
            Self::ModulesWrite => "modules:write",
            Self::ReportsRead => "reports:read",
            Self::ReportsExport => "reports:export",
            Self::UsersManage => "users:manage",
            Self::RolesManage => "roles:manage",
            Self::ApiKeysManage => "api_keys:manage",
            Self::NotificationsManage => "notifications:manage",
            Self::AuditRead => "audit:read",
            Self::JobsRead => "jobs:read",
            Self::JobsManage => "jobs:manage",
            Self::SettingsManage => "settings:manage",
        }
    }

    /// What it lets one do, as a sentence without its full stop.
    pub fn does(self) -> &'static str {
        match self {
            Self::Sync => "Send the inventory of a site",
            Self::OrganizationsRead => "See organizations",
            Self::OrganizationsManage => "Change the organization: name, notes, two-step sign-in",
            Self::SitesRead => "See sites, what they run, and their history",
            Self::SitesWrite => "Create and change sites",
            Self::SitesDelete => "Delete and restore sites",
            Self::ModulesRead => "See modules and advisories",
            Self::ModulesWrite => "Ask drupal.org for a module now",
            Self::ReportsRead => "See reports",
            Self::ReportsExport => "Export reports",
            Self::UsersManage => "Invite people, give them roles and take these away",
            Self::RolesManage => "Make and change the organization's own roles",
            Self::ApiKeysManage => "Make, change, rotate and revoke API keys",
            Self::NotificationsManage => "See what was sent to whom, and send it again",
            Self::AuditRead => "Read the audit log",
            Self::JobsRead => "See background jobs",
            Self::JobsManage => "Start background jobs again and cancel them",
            Self::SettingsManage => "Change by when exposures must be fixed",
        }
    }

    /// The permission that the word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.word() == word)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The product itself: jobs, and commands of whoever owns the machine.
    System,
    /// A person who signed in.
    Person {
        /// The user's id.
        user_id: i64,
        /// The session through which he speaks.
        session_id: i64,
        /// His name, for the record.
        name: String,
        /// What he holds, and where.
        grants: Arc<Grants>,
    },
    /// A key that belongs to one site: it can send that site's inventory and nothing else.
    SiteKey {
        /// The key's id.
        key_id: i64,
        /// The site it belongs to.
        site_id: i64,
        /// That site's organization.
        organization_id: i64,
        /// Its name, for the record.
        name: String,
    },
    /// A key that belongs to one organization.
    OrganizationKey {
        /// The key's id.
        key_id: i64,
        /// The organization it belongs to.
        organization_id: i64,
        /// What it may do there now.
        scopes: Permissions,
        /// Its name, for the record.
        name: String,
    },
}

/// The caller lacks a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this needs the permission {0}")]
pub struct Denied(pub Permission);

impl Actor {
    /// Holds the permission somewhere. Gives where: what isn't in that sight is not there for him.
    ///
    /// # Errors
    /// [`Denied`], naming the permission.
    pub fn require(&self, permission: Permission) -> Result<Sight, Denied> {
        let sight = self.sight(permission);
        if sight.is_empty() {
            Err(Denied(permission))
        } else {
            Ok(sight)
        }
    }

    /// Holds the permission in that organization.
    ///
    /// # Errors
    /// [`Denied`], naming the permission.
    pub fn require_in(&self, permission: Permission, organization: i64) -> Result<(), Denied> {
        if self.sight(permission).sees_organization(organization) {
            Ok(())
        } else {
            Err(Denied(permission))
        }
    }

    /// Is the platform administrator (or the product itself).
    ///
    /// # Errors
    /// [`Denied`], naming the permission that the platform administrator holds for all.
    pub fn require_platform(&self, permission: Permission) -> Result<(), Denied> {
        if self.is_platform() {
            Ok(())
        } else {
            Err(Denied(permission))
        }
    }

    /// Is the platform administrator (or the product itself).
    pub fn is_platform(&self) -> bool {
        match self {
            Self::System => true,
            Self::Person { grants, .. } => grants.platform,
            _ => false,
        }
    }

    /// What the caller holds, in one organization or another.
    pub fn everywhere(&self) -> Permissions {
        let held = |permission: &Permission| self.holds(*permission);
        Permission::ALL.into_iter().filter(held).collect()
    }

    /// Holds the permission somewhere.
    pub fn holds(&self, permission: Permission) -> bool {
        !self.sight(permission).is_empty()
    }

    /// What the caller holds in that organization.
    pub fn permissions_in(&self, organization: i64) -> Permissions {
        match self {
            Self::System => Permissions::ALL,
            Self::Person { grants, .. } => grants.permissions_in(organization),
            Self::SiteKey {
                organization_id, ..
            } if *organization_id == organization => Permissions::of(&[Permission::Sync]),
            Self::OrganizationKey {
                organization_id,
                scopes,
                ..
            } if *organization_id == organization => *scopes,
            _ => Permissions::NONE,
        }
    }

    /// Where the caller holds the permission: the organization wall.
    pub fn sight(&self, permission: Permission) -> Sight {
        match self {
            Self::System => Sight::All,
            Self::Person { grants, .. } if grants.platform => Sight::All,
            Self::Person { grants, .. } => grants.sight(permission),
            Self::SiteKey {
                site_id,
                organization_id,
                ..
            } if permission == Permission::Sync => Sight::Site {
                site_id: *site_id,
                organization_id: *organization_id,
            },
            Self::OrganizationKey {
                organization_id,
                scopes,
                ..
            } if scopes.contains(permission) => Sight::organization(*organization_id),
            _ => Sight::nothing(),
        }
    }

    /// The organization of a key. A person is not one organization's, however many he belongs to.
    pub fn organization(&self) -> Option<i64> {
        match self {
            Self::System | Self::Person { .. } => None,
            Self::SiteKey {
                organization_id, ..
            }
            | Self::OrganizationKey {
                organization_id, ..
            } => Some(*organization_id),
        }
    }

    /// How the actor is written in `created_by`, `updated_by` and the audit log.
    pub fn label(&self) -> String {
        match self {
            Self::System => "system".to_owned(),
            Self::Person { user_id, .. } => format!("user:{user_id}"),
            Self::SiteKey { key_id, .. } | Self::OrganizationKey { key_id, .. } => {
                format!("key:{key_id}")
            }
        }
    }

    /// The kind, id and name of the actor, for the audit log.
    pub fn identity(&self) -> (&'static str, Option<i64>, &str) {
        match self {
            Self::System => ("system", None, "Dewline"),
            Self::Person { user_id, name, .. } => ("user", Some(*user_id), name),
            Self::SiteKey { key_id, name, .. } | Self::OrganizationKey { key_id, name, .. } => {
                ("key", Some(*key_id), name)
            }
        }
    }
}

/// Which organizations, and of them which sites, a caller can see. What isn't in sight is not there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Sight {
    /// Everything: the platform administrator.
    All,
    /// These organizations, in the order of their ids, each once; perhaps none.
    Organizations(Arc<[i64]>),
    /// One site of one organization.
    Site {
        /// The site.
        site_id: i64,
        /// Its organization.
        organization_id: i64,
    },
}

impl Sight {
    /// One organization.
    pub fn organization(id: i64) -> Self {
        Self::Organizations(Arc::new([id]))
    }

    /// Nothing at all.
    pub fn nothing() -> Self {
        Self::Organizations(Arc::new([]))
    }

    /// Nothing is in sight.
    pub fn is_empty(&self) -> bool {
        self.organizations().is_some_and(<[i64]>::is_empty)
    }

    /// The organizations in sight, or `None` where all are.
    pub fn organizations(&self) -> Option<&[i64]> {
        match self {
            Self::All => None,
            Self::Organizations(ids) => Some(ids),
            Self::Site {
                organization_id, ..
            } => Some(std::slice::from_ref(organization_id)),
        }
    }

    /// The organization in sight, where there is exactly one.
    pub fn only_organization(&self) -> Option<i64> {
        match self.organizations() {
            Some([only]) => Some(*only),
            _ => None,
        }
    }

    /// What both see of organizations.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        match (self.organizations(), other.organizations()) {
            (_, None) => self.clone(),
            (None, _) => other.clone(),
            (Some(mine), Some(_)) => {
                let both = mine.iter().filter(|id| other.sees_organization(**id));
                Self::Organizations(both.copied().collect())
            }
        }
    }

    /// The only site in sight, or `None` where there is no such limit.
    pub fn site(&self) -> Option<i64> {
        match self {
            Self::Site { site_id, .. } => Some(*site_id),
            _ => None,
        }
    }

    /// That organization can be seen.
    pub fn sees_organization(&self, organization: i64) -> bool {
        self.organizations()
            .is_none_or(|mine| mine.binary_search(&organization).is_ok())
    }

    /// A site of that organization can be seen.
    pub fn sees(&self, organization: i64, site: i64) -> bool {
        self.sees_organization(organization) && self.site().is_none_or(|mine| mine == site)
    }
}
