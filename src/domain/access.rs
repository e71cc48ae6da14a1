//! Who is asking, what he may do, and what he may see.
//!
//! Every service takes an [`Actor`] and begins with [`Actor::require`]; every list takes
//! [`Actor::sight`], and the SQL filters by it. A person is the platform administrator; keys are what
//! their scopes say.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that may be done, as a `resource:action` word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Permission {
    /// Send the inventory of a site.
    #[serde(rename = "sync")]
    Sync,
    /// See organizations.
    #[serde(rename = "organizations:read")]
    OrganizationsRead,
    /// Create, change and delete organizations.
    #[serde(rename = "organizations:manage")]
    OrganizationsManage,
    /// See sites, what they run, and their history.
    #[serde(rename = "sites:read")]
    SitesRead,
    /// Create and change sites.
    #[serde(rename = "sites:write")]
    SitesWrite,
    /// Delete sites.
    #[serde(rename = "sites:delete")]
    SitesDelete,
    /// See the catalogue.
    #[serde(rename = "modules:read")]
    ModulesRead,
    /// Ask drupal.org for a module now, and change the catalogue.
    #[serde(rename = "modules:write")]
    ModulesWrite,
    /// Make, change, rotate and revoke API keys.
    #[serde(rename = "api_keys:manage")]
    ApiKeysManage,
    /// See background jobs.
    #[serde(rename = "jobs:read")]
    JobsRead,
    /// Read the audit log.
    #[serde(rename = "audit:read")]
    AuditRead,
}

impl Permission {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 11] = [
        Self::Sync,
        Self::OrganizationsRead,
        Self::OrganizationsManage,
        Self::SitesRead,
        Self::SitesWrite,
        Self::SitesDelete,
        Self::ModulesRead,
        Self::ModulesWrite,
        Self::ApiKeysManage,
        Self::JobsRead,
        Self::AuditRead,
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
            Self::ApiKeysManage => "api_keys:manage",
            Self::JobsRead => "jobs:read",
            Self::AuditRead => "audit:read",
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
    /// A person who signed in. In this version: the platform administrator, who may do all in all.
    Person {
        /// The user's id.
        user_id: i64,
        /// The session through which he speaks.
        session_id: i64,
        /// His name, for the record.
        name: String,
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
        /// What it may do there.
        scopes: Vec<Permission>,
        /// Its name, for the record.
        name: String,
    },
}

/// The caller lacks a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this needs the permission {0}")]
pub struct Denied(pub Permission);

impl Actor {
    /// Holds the permission somewhere. What it applies to is [`Actor::sight`]'s question.
    ///
    /// # Errors
    /// [`Denied`], naming the permission.
    pub fn require(&self, permission: Permission) -> Result<(), Denied> {
        let may = match self {
            Self::System | Self::Person { .. } => true,
            Self::SiteKey { .. } => permission == Permission::Sync,
            Self::OrganizationKey { scopes, .. } => scopes.contains(&permission),
        };
        if may { Ok(()) } else { Err(Denied(permission)) }
    }

    /// Is the platform administrator (or the product itself).
    ///
    /// # Errors
    /// [`Denied`], naming the permission that the platform administrator holds for all.
    pub fn require_platform(&self, permission: Permission) -> Result<(), Denied> {
        match self {
            Self::System | Self::Person { .. } => Ok(()),
            _ => Err(Denied(permission)),
        }
    }

    /// What the caller can see: the organization wall.
    pub fn sight(&self) -> Sight {
        match self {
            Self::System | Self::Person { .. } => Sight::All,
            Self::SiteKey {
                site_id,
                organization_id,
                ..
            } => Sight::Site {
                site_id: *site_id,
                organization_id: *organization_id,
            },
            Self::OrganizationKey {
                organization_id, ..
            } => Sight::Organization(*organization_id),
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sight {
    /// Everything: the platform administrator.
    All,
    /// One organization.
    Organization(i64),
    /// One site of one organization.
    Site {
        /// The site.
        site_id: i64,
        /// Its organization.
        organization_id: i64,
    },
}

impl Sight {
    /// The only organization in sight, or `None` where all are.
    pub fn organization(self) -> Option<i64> {
        match self {
            Self::All => None,
            Self::Organization(id)
            | Self::Site {
                organization_id: id,
                ..
            } => Some(id),
        }
    }

    /// The only site in sight, or `None` where there is no such limit.
    pub fn site(self) -> Option<i64> {
        match self {
            Self::Site { site_id, .. } => Some(site_id),
            _ => None,
        }
    }

    /// A site of that organization can be seen.
    pub fn sees(self, organization: i64, site: i64) -> bool {
        self.organization().is_none_or(|mine| mine == organization)
            && self.site().is_none_or(|mine| mine == site)
    }
}
