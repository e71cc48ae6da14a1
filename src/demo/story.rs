//! The demo's past: years of publications, advisories and syncs, played through the services with the clock
//! moved. What happens in one part of a day goes through the store together, so that a day costs a
//! few commits.
//!
//! A day has three parts, so that everything stays in the order of its times: in the morning sites are
//! cared for, in the afternoon drupal.org publishes, in the evening the prompt ones patch.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;

use super::advisories::{self, Word};
use super::cast::{Care, GUEST, ORGANIZATIONS, PEOPLE, PROMISES, Quirk, SITES};
use super::catalogue::{self, DAY, HOUR, MINUTE, Plan, instant};
use super::dice::Dice;
use super::hands;
use super::site::Site;
use crate::app::App;
use crate::clock::ManualClock;
use crate::domain::access::Actor;
use crate::domain::api_key::ApiKeyForm;
use crate::domain::inventory::Origin;
use crate::domain::member::{InvitationForm, RoleName};
use crate::domain::organization::OrganizationForm;
use crate::domain::release_history::{Document, parse};
use crate::domain::site::SiteForm;
use crate::domain::sla_form::PolicyForm;
use crate::outbound::drupal_org::Fetched;
use crate::services::admins::{self, NewPerson};
use crate::services::advisories as advising;
use crate::services::catalogue::{fan_out, record};
use crate::services::members::{self, Joining};
use crate::services::people::{self, Wanted};
use crate::services::sync::{Source, receive};
use crate::services::{
    Error, Result, api_keys, clocks, ledger, organizations, sites, sla, snapshots, watch,
};
use crate::store::catalogue as modules;

/// With which address the demo's administrator signs in.
pub const EMAIL: &str = "admin@dewline.example";
/// From where the sites speak: an address for documentation.
const ADDRESS: &str = "192.0.2.7";
/// The end of the past, before now: the last hour has an order of its own.
const LAST_HOUR: i64 = 65 * MINUTE;

/// When on its first day the past begins: early enough that all sites are connected before the day is
/// over, whatever time it is now.
const MORNING: i64 = 8 * HOUR;

/// Which past.
#[derive(Debug, Clone, Copy)]
pub struct Length {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// Days of history.
    pub days: i64,
    /// Its end.
    pub until: Timestamp,
}

/// The world as the past leaves it.
#[derive(Debug)]
pub struct World {
    /// What drupal.org publishes.
    pub plans: Vec<Plan>,
    /// What its security team says.
    pub words: Vec<Word>,
    /// The sites.
    pub sites: Vec<Member>,
}

/// A site that has been connected.
#[derive(Debug)]
pub struct Member {
    /// What it runs and how it is cared for.
    pub site: Site,
    /// Its id in Dewline.
    pub id: i64,
    /// Its key.
    pub key: SecretString,
    /// As whom it speaks.
    actor: Actor,
}

impl Member {
    /// It sends its inventory by itself.
    pub fn speaks(&self) -> bool {
        !matches!(self.site.part.quirk, Quirk::NeverSynced | Quirk::Silent)
    }

    /// What it sends, and as what.
    pub fn body(&self, plans: &[Plan], at: i64) -> (Source, Vec<u8>) {
        match self.site.part.quirk {
            Quirk::Lock => (
                Source::ComposerLock,
                self.site.lock(plans).to_string().into_bytes(),
            ),
            _ => (
                Source::Inventory,
                self.site.inventory(plans, at).to_string().into_bytes(),
            ),
        }
    }
}

/// Plays the past. `told` hears how many of the days are done.
///
/// # Errors
/// What a service says; none is expected.
pub async fn play(
    app: &Arc<App>,
    clock: &ManualClock,
    length: Length,
    password: SecretString,
    told: impl Fn(i64),
) -> Result<World> {
    let until = length.until.as_second();
    let first = (until - length.days * DAY).div_euclid(DAY) * DAY;
    let from = first + MORNING;
    let plans = catalogue::plans(length.seed, from, until);
    let mut story = Story {
        app,
        clock,
        from,
        until,
        words: advisories::words(&plans, length.seed, until),
        heard: 0,
        plans,
        members: Vec::new(),
        organizations: Vec::new(),
        known: HashSet::new(),
        dice: Dice::of(length.seed, "story"),
    };
    story.begin(length.seed, password).await?;
    let mut midnight = first + DAY;
    while midnight < until - LAST_HOUR {
        story.day(midnight).await?;
        midnight += DAY;
        told((midnight - first) / DAY - 1);
    }
    story.end().await?;
    hands::take(app).await?;
    invite(app, &story.organizations).await?;
    Ok(World {
        plans: story.plans,
        words: story.words,
        sites: story.members,
    })
}

struct Story<'a> {
    app: &'a Arc<App>,
    clock: &'a ManualClock,
    from: i64,
    until: i64,
    plans: Vec<Plan>,
    words: Vec<Word>,
    /// So many of the words were heard.
    heard: usize,
    members: Vec<Member>,
    /// The organizations, in the order of the cast.
    organizations: Vec<i64>,
    /// Projects whose history Dewline has.
    known: HashSet<String>,
    dice: Dice,
}

impl Story<'_> {
    /// The administrator, the organizations, the sites with their keys, and their first syncs.
    async fn begin(&mut self, seed: u64, password: SecretString) -> Result<()> {
        let mut now = self.from;
        self.clock.set(instant(now));
        ledger::keep_promise(self.app).await?;
        self.hear(now, now).await?;
        let administrator = NewPerson {
            email: EMAIL.to_owned(),
            name: "Demo administrator".to_owned(),
            password,
        };
        let password = administrator.password.clone();
        admins::create(self.app, &Actor::System, administrator).await?;
        let mut organizations = Vec::new();
        for (name, notes) in ORGANIZATIONS {
            let form = OrganizationForm {
                name: Some(name.to_owned()),
                notes: Some(notes.to_owned()),
                ..OrganizationForm::default()
            };
            organizations.push(
                organizations::create(self.app, &Actor::System, &form)
                    .await?
                    .id,
            );
        }
        gather(self.app, &organizations, &password).await?;
        promise(self.app, &organizations).await?;
        self.organizations.clone_from(&organizations);
        for (number, part) in SITES.into_iter().enumerate() {
            now += MINUTE + self.dice.between(0, 40);
            self.clock.set(instant(now));
            let organization = organizations.get(part.organization).copied();
            let site = Site::new(number, part, &self.plans, seed, now);
            let member = connect(self.app, site, organization).await?;
            self.members.push(member);
        }
        let everybody: Vec<(i64, usize)> = (0..self.members.len())
            .filter(|at| {
                self.members
                    .get(*at)
                    .is_some_and(|m| m.site.part.quirk != Quirk::NeverSynced)
            })
            .map(|at| (now + HOUR / 2 + i64::try_from(at).unwrap_or(0) * 70, at))
            .collect();
        self.sync(&everybody).await?;
        self.learn(now + 2 * HOUR).await
    }

    async fn day(&mut self, midnight: i64) -> Result<()> {
        let end = (midnight + DAY).min(self.until - LAST_HOUR);
        self.clock.set(instant(midnight));
        snapshots::step(self.app).await?;
        let mut morning = Vec::new();
        for (at, member) in self.members.iter_mut().enumerate() {
            if let Some(when) = member.site.cared_for_on(midnight)
                && when < end
                && awake(member, when, self.until)
            {
                member.site.care(&self.plans, when);
                morning.push((when, at));
            } else if member.site.part.quirk == Quirk::Silent
                && let last_word = self.until - 9 * DAY - HOUR
                && (midnight..midnight + DAY).contains(&last_word)
            {
                morning.push((midnight + 6 * HOUR, at));
            }
        }
        self.sync(&morning).await?;
        self.learn((midnight + 13 * HOUR).min(end)).await?;
        self.publish(midnight, end).await?;
        self.hear(
            (midnight + 19 * HOUR).min(end),
            midnight + 19 * HOUR + 50 * MINUTE,
        )
        .await?;
        let mut evening = Vec::new();
        for (at, member) in self.members.iter_mut().enumerate() {
            let when = midnight + 20 * HOUR + member.site.dice.between(0, 3 * HOUR);
            if member.site.part.care == Care::Prompt
                && when < end
                && awake(member, when, self.until)
                && member.site.dice.chance(85)
                && member.site.patch(&self.plans, when)
            {
                evening.push((when, at));
            }
        }
        self.sync(&evening).await?;
        self.clock.set(instant(end));
        while clocks::step(self.app).await? {}
        Ok(())
    }

    /// The day's publications, each learnt of within the hour.
    async fn publish(&mut self, midnight: i64, end: i64) -> Result<()> {
        let mut news: Vec<(i64, usize)> = Vec::new();
        for (at, plan) in self.plans.iter().enumerate() {
            if self.known.contains(&plan.name)
                && let Some(last) = plan.moments(midnight, end.min(midnight + 19 * HOUR)).last()
            {
                news.push((last + self.dice.between(2, 50) * MINUTE, at));
            }
        }
        let names = news
            .into_iter()
            .filter(|(when, _)| *when < end)
            .filter_map(|(when, at)| Some((when, self.plans.get(at)?.name.clone())));
        let names = names.collect();
        self.record(names).await
    }

    /// What the security team said until then is heard by `at` at the latest.
    async fn hear(&mut self, until: i64, at: i64) -> Result<()> {
        while let Some(word) = self.words.get(self.heard).filter(|word| word.at <= until) {
            let late = self.dice.between(2, 14) * MINUTE;
            self.clock.set(instant(
                (word.at + late).clamp(self.from, at.max(self.from)),
            ));
            if let Some(record) = word.record() {
                advising::record(self.app, record).await?;
            }
            self.heard += 1;
        }
        while fan_out(self.app).await? {}
        Ok(())
    }

    /// Asks about the projects that sites have named since the last time.
    async fn learn(&mut self, at: i64) -> Result<()> {
        let new: BTreeSet<String> = self
            .members
            .iter()
            .filter(|member| member.site.part.quirk != Quirk::NeverSynced)
            .flat_map(|member| member.site.projects(&self.plans))
            .chain(std::iter::once("devel"))
            .filter(|name| !self.known.contains(*name))
            .map(str::to_owned)
            .collect();
        self.known.extend(new.iter().cloned());
        let spread = new
            .into_iter()
            .zip(1..)
            .map(|(name, late)| (at + late, name));
        self.record(spread.collect()).await
    }

    /// Records what drupal.org answers about projects, all in one go, and tells the sites.
    async fn record(&self, mut asked: Vec<(i64, String)>) -> Result<()> {
        asked.sort();
        let mut recording = Vec::new();
        for (when, name) in &asked {
            let module = self
                .app
                .store
                .read(|db| modules::find(db, Origin::Project, 0, name))?;
            if let Some(module) = module {
                let answer = self.answer(name, *when);
                recording.push(async move {
                    self.clock.set(instant(*when));
                    record(self.app, module.id, answer).await
                });
            }
        }
        together(recording).await?;
        while fan_out(self.app).await? {}
        Ok(())
    }

    fn answer(&self, name: &str, at: i64) -> Fetched {
        let Some(plan) = self.plans.iter().find(|plan| plan.name == name) else {
            return Fetched::Absent;
        };
        match parse(plan.listed(at).to_xml().as_bytes()) {
            Document::Stored(history) => Fetched::Document {
                history: Box::new(history),
                etag: None,
                last_modified: None,
            },
            _ => Fetched::Unreadable {
                reason: "not a release history".to_owned(),
            },
        }
    }

    /// Sites send what they run now, all in one go, each at its own time.
    async fn sync(&self, arrivals: &[(i64, usize)]) -> Result<()> {
        let mut arrivals = arrivals.to_vec();
        arrivals.sort_unstable();
        let mut syncing = Vec::new();
        for (when, at) in arrivals {
            if let Some(member) = self.members.get(at) {
                let (source, body) = member.body(&self.plans, when);
                syncing.push(async move {
                    self.clock.set(instant(when));
                    receive(self.app, &member.actor, member.id, source, &body, ADDRESS).await
                });
            }
        }
        together(syncing).await
    }

    /// The last hour: everything is asked once more, every site that lives speaks, and what is wrong
    /// with some of them happens.
    async fn end(&mut self) -> Result<()> {
        let mut names: Vec<String> = self.known.iter().cloned().collect();
        names.sort_unstable();
        let spread = names.into_iter().map(|name| {
            let late = Dice::of(1, &name).between(0, 28 * MINUTE);
            (self.until - 62 * MINUTE + late, name)
        });
        self.record(spread.collect()).await?;
        self.hear(self.until - LAST_HOUR, self.until - 33 * MINUTE)
            .await?;
        let mut last = Vec::new();
        for (at, member) in self.members.iter_mut().enumerate() {
            let when = self.until - member.site.dice.between(2 * MINUTE, 30 * MINUTE);
            if member.speaks() {
                if member.site.part.care == Care::Prompt {
                    member.site.update(&self.plans, when);
                }
                last.push((when, at));
            }
        }
        self.sync(&last).await?;
        self.mishaps().await?;
        self.clock.set(instant(self.until));
        while watch::step(self.app).await? {}
        while clocks::step(self.app).await? {}
        Ok(())
    }

    /// What goes wrong in the last two minutes: an agent that writes nonsense, a copy with the original's key.
    async fn mishaps(&self) -> Result<()> {
        for (member, late) in self.members.iter().zip(0..) {
            let when = self.until - 2 * MINUTE + late;
            let mut body = member.site.inventory(&self.plans, when);
            match member.site.part.quirk {
                Quirk::Refused => spoil(&mut body),
                Quirk::Cloned => {
                    if let Some(url) = body.pointer_mut("/site/url") {
                        *url = "https://copy-of-libraries.meridian-county.example".into();
                    }
                }
                _ => continue,
            }
            self.clock.set(instant(when));
            let body = body.to_string();
            let answer = receive(
                self.app,
                &member.actor,
                member.id,
                Source::Inventory,
                body.as_bytes(),
                ADDRESS,
            );
            match answer.await {
                Err(Error::Invalid(_) | Error::Conflict { .. }) => {}
                Err(other) => return Err(other),
                Ok(_) => {
                    return Err(Error::Internal(
                        "what should be refused was taken".to_owned(),
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The silent site fell silent nine days ago.
fn awake(member: &Member, when: i64, until: i64) -> bool {
    match member.site.part.quirk {
        Quirk::NeverSynced => false,
        Quirk::Silent => when < until - 9 * DAY,
        _ => true,
    }
}

/// Names with capitals, and one twice: what a self-made agent sends.
pub fn spoil(body: &mut serde_json::Value) {
    if let Some(modules) = body["modules"].as_array_mut() {
        if let Some(first) = modules.get(1).cloned() {
            modules.push(first);
        }
        modules.push(serde_json::json!({"name": "Views Bulk Operations", "version": "4.3.4"}));
        modules.push(serde_json::json!({"name": "../settings", "version": "1.0"}));
    }
}

/// What the organizations promise: one counts business hours, one promises nothing for its staging sites.
async fn promise(app: &App, organizations: &[i64]) -> Result<()> {
    for (organization, promise) in organizations.iter().zip(PROMISES) {
        let mut form = PolicyForm::default();
        for (terms, calendar) in form.environments.iter_mut().zip(promise.calendars) {
            terms.calendar = Some(calendar.to_owned());
        }
        form.time_zone = Some(promise.time_zone.to_owned());
        form.holidays = Some(
            promise
                .holidays
                .iter()
                .map(|day| (*day).to_owned())
                .collect(),
        );
        sla::change(app, &Actor::System, *organization, form).await?;
    }
    Ok(())
}

/// The people, and what they are where.
async fn gather(app: &App, organizations: &[i64], password: &SecretString) -> Result<()> {
    for (name, email, places) in PEOPLE {
        let wanted = Wanted {
            password: Some(password.clone()),
            invitation: named(name, email),
            ..Wanted::default()
        };
        let made = people::create(app, &Actor::System, wanted).await?;
        for (at, role) in places {
            let joining = Joining {
                user_id: Some(made.user.id),
                role: Some(RoleName::Named((*role).to_owned())),
                ..Joining::default()
            };
            if let Some(organization) = organizations.get(*at) {
                members::add(app, &Actor::System, *organization, joining).await?;
            }
        }
    }
    Ok(())
}

/// Somebody is invited to the last organization and hasn't come yet.
async fn invite(app: &App, organizations: &[i64]) -> Result<()> {
    let (name, email, role) = GUEST;
    let joining = Joining {
        user_id: None,
        role: Some(RoleName::Named(role.to_owned())),
        invitation: named(name, email),
    };
    if let Some(organization) = organizations.last() {
        members::add(app, &Actor::System, *organization, joining).await?;
    }
    Ok(())
}

fn named(name: &str, email: &str) -> InvitationForm {
    InvitationForm {
        email: Some(email.to_owned()),
        name: Some(name.to_owned()),
        ..InvitationForm::default()
    }
}

async fn connect(app: &App, site: Site, organization: Option<i64>) -> Result<Member> {
    let part = site.part;
    let form = SiteForm {
        name: Some(part.name.to_owned()),
        url: Some(format!("https://{}", part.host)),
        environment: Some(part.environment.to_owned()),
        tags: Some(tags(&site)),
        ..SiteForm::default()
    };
    let made = sites::create(app, &Actor::System, organization, &form).await?;
    let form = ApiKeyForm {
        name: Some("Agent".to_owned()),
        ..ApiKeyForm::default()
    };
    let shown = api_keys::create(app, &Actor::System, Some(made.id), None, &form).await?;
    Ok(Member {
        id: made.id,
        actor: Actor::SiteKey {
            key_id: shown.key.id,
            site_id: made.id,
            organization_id: made.organization_id,
            name: shown.key.name,
        },
        key: shown.secret,
        site,
    })
}

fn tags(site: &Site) -> Vec<String> {
    let mut tags = vec![format!("drupal-{}", site.part.core)];
    tags.push(
        if site.part.modules > 44 {
            "large"
        } else {
            "small"
        }
        .to_owned(),
    );
    if site.part.host.starts_with("shop") || site.part.host.starts_with("staging.shop") {
        tags.push("shop".to_owned());
    }
    tags
}

/// Lets them all begin, in their order, before the first ends: the writer takes them together.
async fn together<T>(all: Vec<impl Future<Output = Result<T>>>) -> Result<()> {
    let mut all: Vec<_> = all.into_iter().map(|one| Some(Box::pin(one))).collect();
    std::future::poll_fn(|context| {
        let mut waiting = false;
        for slot in &mut all {
            if let Some(one) = slot {
                match one.as_mut().poll(context) {
                    std::task::Poll::Ready(Ok(_)) => *slot = None,
                    std::task::Poll::Ready(Err(error)) => {
                        return std::task::Poll::Ready(Err(error));
                    }
                    std::task::Poll::Pending => waiting = true,
                }
            }
        }
        if waiting {
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(Ok(()))
        }
    })
    .await
}
