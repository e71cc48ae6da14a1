//! Who plays: three organizations and their sites, each with its own way of caring. All names are
//! made up; addresses end in `.example`.

/// How a site is cared for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// Security updates within hours, everything else every week.
    Prompt,
    /// Everything on one weekday.
    Weekly,
    /// Everything once a month.
    Monthly,
    /// Everything when somebody finds the time: every two months or so.
    Late,
    /// Nothing, ever.
    Never,
}

/// What is peculiar about a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    /// Nothing.
    Ordinary,
    /// Still Drupal 7.
    EndOfLife,
    /// Runs development snapshots that say their date.
    Snapshots,
    /// Runs a development snapshot that doesn't.
    UndatedSnapshot,
    /// Pushes its `composer.lock`.
    Lock,
    /// Much code of its own.
    Custom,
    /// Runs a module that nobody maintains any more.
    Unsupported,
    /// Runs a module that was taken back.
    Revoked,
    /// Has a version that nobody can read.
    Unreadable,
    /// Hasn't been heard of for days.
    Silent,
    /// Was made, but never connected.
    NeverSynced,
    /// Its last syncs were refused.
    Refused,
    /// Somebody copied it with its key.
    Cloned,
}

/// One site of the fleet.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Which organization it belongs to.
    pub organization: usize,
    /// What people call it.
    pub name: &'static str,
    /// The host of its address.
    pub host: &'static str,
    /// `production`, `staging`, `development`.
    pub environment: &'static str,
    /// How it is cared for.
    pub care: Care,
    /// What is peculiar about it.
    pub quirk: Quirk,
    /// The major version of core: 7, 10 or 11.
    pub core: u8,
    /// How many modules it has, about.
    pub modules: i64,
}

/// The organizations: name, and what is noted about them.
pub const ORGANIZATIONS: [(&str, &str); 3] = [
    (
        "Tidewater Digital",
        "The agency itself: its own sites and what it tries out.",
    ),
    (
        "Meridian County",
        "Public authority. Patches outside business hours; tells the data protection officer.",
    ),
    (
        "Larkspur Retail Group",
        "Brands and shops. No changes in the week before the sales.",
    ),
];

/// What an organization promises, in the hours that hold for all.
#[derive(Debug)]
pub struct Promise {
    /// Which hours count in production, staging and development.
    pub calendars: [&'static str; 3],
    /// Where business hours are counted.
    pub time_zone: &'static str,
    /// Days without business hours.
    pub holidays: &'static [&'static str],
}

/// What the organizations promise, in their order.
pub const PROMISES: [Promise; 3] = [
    Promise {
        calendars: ["calendar"; 3],
        time_zone: "UTC",
        holidays: &[],
    },
    Promise {
        calendars: ["business", "business", "none"],
        time_zone: "Europe/Vienna",
        holidays: &[
            "2025-01-01",
            "2025-01-06",
            "2025-04-21",
            "2025-05-01",
            "2025-05-29",
            "2025-06-09",
            "2025-06-19",
            "2025-08-15",
            "2025-10-26",
            "2025-11-01",
            "2025-12-08",
            "2025-12-25",
            "2025-12-26",
            "2026-01-01",
            "2026-01-06",
            "2026-04-06",
            "2026-05-01",
            "2026-05-14",
            "2026-05-25",
            "2026-06-04",
            "2026-08-15",
            "2026-10-26",
            "2026-11-01",
            "2026-12-08",
            "2026-12-25",
            "2026-12-26",
        ],
    },
    Promise {
        calendars: ["calendar", "none", "none"],
        time_zone: "UTC",
        holidays: &[],
    },
];

/// What somebody is in which organization.
type Places = &'static [(usize, &'static str)];

/// The people: name, address, and what they are where. All have the administrator's password.
pub const PEOPLE: [(&str, &str, Places); 3] = [
    (
        "Ines Harrow",
        "ines@tidewater-digital.example",
        &[(0, "admin"), (1, "manager"), (2, "manager")],
    ),
    (
        "Karin Solberg",
        "karin@meridian-county.example",
        &[(1, "admin")],
    ),
    ("Abel Quist", "abel@larkspur.example", &[(2, "viewer")]),
];

/// Who was invited to the last organization and hasn't come yet: name, address, role.
pub const GUEST: (&str, &str, &str) = ("Noor Brandt", "noor@larkspur.example", "manager");

const fn part(
    organization: usize,
    (name, host): (&'static str, &'static str),
    (care, quirk): (Care, Quirk),
    core: u8,
    modules: i64,
) -> Part {
    Part {
        organization,
        name,
        host,
        environment: "production",
        care,
        quirk,
        core,
        modules,
    }
}

const fn at(environment: &'static str, part: Part) -> Part {
    Part {
        environment,
        ..part
    }
}

use Care::{Late, Monthly, Never, Prompt, Weekly};
use Quirk::Ordinary;

/// The sites.
#[rustfmt::skip] // a table: one site a line
pub const SITES: [Part; 41] = [
    part(0, ("Agency website", "www.tidewater-digital.example"), (Prompt, Ordinary), 11, 42),
    at("staging", part(0, ("Agency website", "staging.tidewater-digital.example"), (Prompt, Ordinary), 11, 42)),
    part(0, ("Client portal", "portal.tidewater-digital.example"), (Prompt, Quirk::Custom), 11, 48),
    at("development", part(0, ("Playground", "playground.tidewater-digital.example"), (Late, Quirk::Snapshots), 11, 34)),
    at("development", part(0, ("Starter kit", "starter.tidewater-digital.example"), (Prompt, Quirk::UndatedSnapshot), 11, 26)),
    part(0, ("Handbook", "handbook.tidewater-digital.example"), (Prompt, Quirk::Lock), 11, 24),
    part(0, ("Status board", "status.tidewater-digital.example"), (Weekly, Ordinary), 11, 20),
    part(1, ("County website", "www.meridian-county.example"), (Prompt, Ordinary), 11, 58),
    at("staging", part(1, ("County website", "staging.meridian-county.example"), (Prompt, Ordinary), 11, 58)),
    part(1, ("Town hall", "townhall.meridian-county.example"), (Weekly, Ordinary), 11, 45),
    part(1, ("Libraries", "libraries.meridian-county.example"), (Weekly, Quirk::Cloned), 10, 51),
    part(1, ("Schools", "schools.meridian-county.example"), (Monthly, Ordinary), 10, 47),
    part(1, ("Parks and trails", "parks.meridian-county.example"), (Weekly, Ordinary), 11, 33),
    part(1, ("Public transport", "transport.meridian-county.example"), (Prompt, Ordinary), 11, 40),
    part(1, ("Waste calendar", "waste.meridian-county.example"), (Weekly, Ordinary), 10, 28),
    part(1, ("Planning portal", "planning.meridian-county.example"), (Monthly, Quirk::Custom), 10, 56),
    at("staging", part(1, ("Planning portal", "staging.planning.meridian-county.example"), (Weekly, Quirk::Custom), 10, 56)),
    part(1, ("Museum", "museum.meridian-county.example"), (Late, Ordinary), 10, 44),
    part(1, ("County archive", "archive.meridian-county.example"), (Never, Quirk::EndOfLife), 7, 38),
    part(1, ("Volunteer fire service", "fire.meridian-county.example"), (Late, Quirk::Silent), 10, 27),
    part(1, ("Elections", "elections.meridian-county.example"), (Prompt, Ordinary), 11, 22),
    part(1, ("Jobs", "jobs.meridian-county.example"), (Prompt, Quirk::Unsupported), 11, 30),
    part(1, ("Tourism", "visit.meridian-county.example"), (Monthly, Ordinary), 11, 55),
    part(1, ("Music school", "music.meridian-county.example"), (Never, Ordinary), 10, 31),
    part(1, ("Youth council", "youth.meridian-county.example"), (Prompt, Quirk::NeverSynced), 11, 20),
    part(2, ("Larkspur", "www.larkspur-group.example"), (Prompt, Ordinary), 11, 52),
    at("staging", part(2, ("Larkspur", "staging.larkspur-group.example"), (Prompt, Ordinary), 11, 52)),
    part(2, ("Larkspur shop", "shop.larkspur-group.example"), (Prompt, Ordinary), 11, 60),
    at("staging", part(2, ("Larkspur shop", "staging.shop.larkspur-group.example"), (Prompt, Ordinary), 11, 60)),
    part(2, ("Garden centre", "www.larkspur-garden.example"), (Weekly, Ordinary), 11, 43),
    part(2, ("Bakery", "www.larkspur-bakery.example"), (Weekly, Quirk::Refused), 10, 29),
    part(2, ("Recipes", "recipes.larkspur-bakery.example"), (Monthly, Ordinary), 11, 36),
    part(2, ("Magazine", "magazine.larkspur-group.example"), (Late, Ordinary), 10, 50),
    part(2, ("Careers", "careers.larkspur-group.example"), (Weekly, Ordinary), 11, 32),
    part(2, ("Press room", "press.larkspur-group.example"), (Prompt, Quirk::Revoked), 11, 24),
    part(2, ("Loyalty club", "club.larkspur-group.example"), (Prompt, Quirk::Custom), 11, 46),
    part(2, ("Wholesale", "wholesale.larkspur-group.example"), (Monthly, Quirk::Lock), 10, 39),
    part(2, ("Summer campaign", "summer.larkspur-group.example"), (Never, Ordinary), 10, 25),
    part(2, ("Anniversary", "100years.larkspur-group.example"), (Never, Quirk::EndOfLife), 7, 29),
    part(2, ("Store finder", "stores.larkspur-group.example"), (Prompt, Quirk::Unreadable), 11, 23),
    part(2, ("Investor relations", "investors.larkspur-group.example"), (Prompt, Ordinary), 11, 27),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_address_is_invented_and_its_own() {
        let hosts: HashSet<&str> = SITES.iter().map(|part| part.host).collect();
        assert_eq!(hosts.len(), SITES.len());
        assert!(hosts.iter().all(|host| host.ends_with(".example")));
        assert!(
            SITES
                .iter()
                .all(|part| part.organization < ORGANIZATIONS.len())
        );
    }
}
