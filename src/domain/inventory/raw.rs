//! An inventory as it arrives: right in its types, and borrowed from the text where it can be.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

use crate::domain::objects::by_name;

/// An inventory as it arrives: right in its types, nothing else is known of it.
#[derive(Debug, Deserialize)]
#[serde(remote = "Self")]
pub struct RawInventory<'a> {
    /// The version of the format.
    pub schema: i64,
    /// When the site made it.
    #[serde(default, borrow, deserialize_with = "text")]
    pub generated_at: Option<Cow<'a, str>>,
    /// Who made it.
    #[serde(borrow)]
    pub agent: Option<RawAgent<'a>>,
    /// The installation.
    #[serde(borrow)]
    pub site: Option<RawSite<'a>>,
    /// The whole inventory.
    #[serde(borrow)]
    pub modules: Vec<RawEntry<'a>>,
}

/// The program that made an inventory.
#[derive(Debug, Deserialize)]
#[serde(remote = "Self")]
pub struct RawAgent<'a> {
    /// Its name.
    #[serde(default, borrow, deserialize_with = "text")]
    pub name: Option<Cow<'a, str>>,
    /// Its version.
    #[serde(default, borrow, deserialize_with = "text")]
    pub version: Option<Cow<'a, str>>,
}

/// The installation that an inventory is of.
#[derive(Debug, Default, Deserialize)]
#[serde(remote = "Self")]
pub struct RawSite<'a> {
    /// Its address.
    #[serde(default, borrow, deserialize_with = "text")]
    pub url: Option<Cow<'a, str>>,
    /// A hash of host and document root.
    #[serde(default, borrow, deserialize_with = "text")]
    pub instance: Option<Cow<'a, str>>,
    /// Drupal's version, for information.
    #[serde(default, borrow, deserialize_with = "text")]
    pub drupal_version: Option<Cow<'a, str>>,
    /// PHP's version.
    #[serde(default, borrow, deserialize_with = "text")]
    pub php_version: Option<Cow<'a, str>>,
    /// The database.
    #[serde(borrow)]
    pub database: Option<RawDatabase<'a>>,
    /// The install profile.
    #[serde(default, borrow, deserialize_with = "text")]
    pub install_profile: Option<Cow<'a, str>>,
    /// When cron last ran.
    #[serde(default, borrow, deserialize_with = "text")]
    pub cron_last_run: Option<Cow<'a, str>>,
    /// Drupal's own status report.
    pub status_report: Option<RawReport>,
}

/// The database of an installation.
#[derive(Debug, Deserialize)]
#[serde(remote = "Self")]
pub struct RawDatabase<'a> {
    /// `mysql`, `pgsql`, `sqlite`.
    #[serde(default, borrow, deserialize_with = "text")]
    pub driver: Option<Cow<'a, str>>,
    /// Its version.
    #[serde(default, borrow, deserialize_with = "text")]
    pub version: Option<Cow<'a, str>>,
}

/// What Drupal's own status report counts.
#[derive(Debug, Deserialize)]
#[serde(remote = "Self")]
pub struct RawReport {
    /// Errors.
    pub errors: Option<i64>,
    /// Warnings.
    pub warnings: Option<i64>,
}

/// One entry as it arrives.
#[derive(Debug, Default, Deserialize)]
#[serde(remote = "Self")]
pub struct RawEntry<'a> {
    /// The project's short name, or a component's.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Its title.
    #[serde(default, borrow, deserialize_with = "text")]
    pub title: Option<Cow<'a, str>>,
    /// `core`, `module` (the default), `theme`, `profile`, `library`.
    #[serde(rename = "type", default, borrow, deserialize_with = "text")]
    pub kind: Option<Cow<'a, str>>,
    /// The installed version.
    #[serde(default, borrow, deserialize_with = "text")]
    pub version: Option<Cow<'a, str>>,
    /// Whether it is enabled; it is, unless said otherwise.
    pub enabled: Option<bool>,
    /// The date of the package, Unix seconds.
    pub datestamp: Option<i64>,
    /// Its Composer name.
    #[serde(default, borrow, deserialize_with = "text")]
    pub composer: Option<Cow<'a, str>>,
    /// The names of its components.
    #[serde(default, borrow, deserialize_with = "texts")]
    pub components: Option<Vec<Cow<'a, str>>>,
    /// The project it is a component of.
    #[serde(default, borrow, deserialize_with = "text")]
    pub project: Option<Cow<'a, str>>,
    /// Code that drupal.org doesn't know.
    pub custom: Option<bool>,
}

by_name!(
    RawInventory<'a>,
    RawAgent<'a>,
    RawSite<'a>,
    RawDatabase<'a>,
    RawReport,
    RawEntry<'a>
);

/// A text that stays where it was sent, unless it has escapes. Serde borrows a `Cow` only where it
/// stands by itself, so that one inside an option needs this around it.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

pub(in crate::domain) fn text<'de: 'a, 'a, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Cow<'a, str>>, D::Error> {
    Ok(Option::<Text<'a>>::deserialize(from)?.map(|text| text.0))
}

fn texts<'de: 'a, 'a, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Vec<Cow<'a, str>>>, D::Error> {
    let texts = Option::<Vec<Text<'a>>>::deserialize(from)?;
    Ok(texts.map(|texts| texts.into_iter().map(|text| text.0).collect()))
}
