//! The demo's present: the stand-in publishes a security release every few minutes, and the sites go
//! on sending what they run, over HTTP with their keys, as their agents would. What takes hours and
//! days in the past takes minutes here, so that one can watch it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::advisories;
use super::cast::{Care, Quirk};
use super::catalogue::MINUTE;
use super::dice::Dice;
use super::drupal_org::StandIn;
use super::story::{Member, World, spoil};
use crate::app::App;
use crate::domain::inventory::Origin;
use crate::services::refresh;
use crate::services::sync::Source;
use crate::store::catalogue as modules;

/// Seconds until the first security release.
const FIRST_RELEASE: i64 = 40;
/// Seconds between two of them.
const BETWEEN_RELEASES: i64 = 190;
/// Seconds between a release and Dewline's next look at the module.
const LOOK_AFTER: i64 = 8;
/// Seconds between two syncs of a site.
const BETWEEN_SYNCS: i64 = 120;
/// How long a sync may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// One site, from now on.
#[derive(Debug)]
struct Resident {
    member: Member,
    next_sync: i64,
    /// When somebody patches it.
    patch_at: Option<i64>,
}

/// The present, which goes on by the app's clock, a second at a time.
#[derive(Debug)]
pub struct Life {
    app: Arc<App>,
    world: World,
    residents: Vec<Resident>,
    stand_in: StandIn,
    client: reqwest::Client,
    base: String,
    dice: Dice,
    next_release: i64,
    /// Advisories that were made up so far.
    invented: i64,
    /// Modules at which Dewline looks next, and when.
    looks: Vec<(i64, String)>,
    syncing: JoinSet<()>,
}

impl Life {
    /// Begins where the past ended: drupal.org says from now on what it said last, so begin before it is asked.
    /// Dewline is reached at `address`.
    ///
    /// # Errors
    /// Where the sites can't speak HTTP.
    pub fn begin(
        app: Arc<App>,
        mut world: World,
        stand_in: StandIn,
        address: SocketAddr,
    ) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .build()?;
        let now = app.clock.now().as_second();
        for plan in &world.plans {
            stand_in.put(plan.listed(now));
        }
        // A later word on the same advisory replaces the earlier.
        for word in world.words.iter().filter(|word| word.at <= now) {
            stand_in.put_advisory(word.advisory.clone());
        }
        let residents: Vec<Resident> = std::mem::take(&mut world.sites)
            .into_iter()
            .filter(Member::speaks)
            .zip(0..)
            .map(|(member, place)| Resident {
                member,
                next_sync: now + 5 + place * 3,
                patch_at: None,
            })
            .collect();
        let host = match address.ip() {
            ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            ip => ip,
        };
        Ok(Self {
            base: format!(
                "http://{}/api/v1/sites",
                SocketAddr::new(host, address.port())
            ),
            app,
            invented: advisories::invented_so_far(&world.words),
            world,
            residents,
            stand_in,
            client,
            dice: Dice::of(now.unsigned_abs(), "present"),
            next_release: now + FIRST_RELEASE,
            looks: Vec::new(),
            syncing: JoinSet::new(),
        })
    }

    /// Goes on until told to stop.
    pub async fn go_on(mut self, mut stop: watch::Receiver<bool>) {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                _ = second.tick() => self.second().await,
                _ = stop.changed() => return,
            }
        }
    }

    /// Waits until every site that spoke has its answer.
    pub async fn all_heard(&mut self) {
        while self.syncing.join_next().await.is_some() {}
    }

    /// Does what is due now: what is published, what Dewline asks about, who syncs. Answers to the sites are
    /// not waited for.
    pub async fn second(&mut self) {
        let now = self.app.clock.now().as_second();
        while self.syncing.try_join_next().is_some() {}
        if self.next_release <= now {
            self.next_release = now + BETWEEN_RELEASES;
            self.publish(now);
        }
        let due: Vec<String> = self
            .looks
            .extract_if(.., |(at, _)| *at <= now)
            .map(|(_, name)| name)
            .collect();
        for name in due {
            self.look(&name).await;
        }
        for resident in &mut self.residents {
            if resident.next_sync > now {
                continue;
            }
            resident.next_sync = now + BETWEEN_SYNCS;
            if resident.patch_at.is_some_and(|at| at <= now) {
                resident.patch_at = None;
                resident.member.site.patch(&self.world.plans, now);
            }
            let (url, body) = request(&self.base, &resident.member, &self.world, now);
            let key = resident.member.key.expose_secret().to_owned();
            self.syncing
                .spawn(send(self.client.clone(), url, key, body));
        }
    }

    /// A security release of a made-up module that some sites run.
    fn publish(&mut self, now: i64) {
        let run_by = |plan: usize| {
            let runs = |resident: &&Resident| resident.member.site.runs(plan, 0);
            self.residents.iter().filter(runs).count()
        };
        let fitting: Vec<usize> = self
            .world
            .plans
            .iter()
            .enumerate()
            .filter(|(at, plan)| {
                plan.invented && plan.ends.is_none() && (4..24).contains(&run_by(*at))
            })
            .map(|(at, _)| at)
            .collect();
        let Some(chosen) = self.dice.pick(&fitting).copied() else {
            return;
        };
        let Some(plan) = self.world.plans.get_mut(chosen) else {
            return;
        };
        let Some(release) = plan.next_security_release(0, now) else {
            return;
        };
        tracing::info!(
            module = plan.name,
            version = release.version,
            "demo: drupal.org publishes a security release"
        );
        let prefix = plan.branches.first().map_or("", |branch| &branch.prefix);
        self.invented += 1;
        self.stand_in.put_advisory(advisories::about(
            plan,
            (prefix, &release.version),
            (self.invented, now),
            &self.dice,
        ));
        self.stand_in.publish(&plan.name, release);
        self.looks.push((now + LOOK_AFTER, plan.name.clone()));
        for resident in &mut self.residents {
            let site = &resident.member.site;
            let wait = match site.part.care {
                Care::Prompt => site.dice.between(MINUTE, 4 * MINUTE),
                Care::Weekly => site.dice.between(8 * MINUTE, 25 * MINUTE),
                Care::Monthly => site.dice.between(40 * MINUTE, 90 * MINUTE),
                Care::Late | Care::Never => continue,
            };
            if site.runs(chosen, 0) {
                let at = now + wait;
                resident.patch_at = Some(resident.patch_at.map_or(at, |before| before.min(at)));
            }
        }
    }

    /// Dewline asks about the module now; else one might wait an hour for its next look.
    async fn look(&self, name: &str) {
        let found = self
            .app
            .store
            .read(|db| modules::find(db, Origin::Project, 0, name));
        let Ok(Some(module)) = found else { return };
        if let Err(error) = refresh::one(&self.app, module.id).await {
            tracing::warn!(%error, module = name, "demo: the module could not be asked about");
        }
    }
}

/// Where a site sends what.
fn request(base: &str, member: &Member, world: &World, now: i64) -> (String, Vec<u8>) {
    if member.site.part.quirk == Quirk::Refused {
        let mut body = member.site.inventory(&world.plans, now);
        spoil(&mut body);
        return (
            format!("{base}/{}/modules/sync", member.id),
            body.to_string().into_bytes(),
        );
    }
    let (source, body) = member.body(&world.plans, now);
    let door = match source {
        Source::Inventory => "modules/sync",
        Source::ComposerLock => "composer-lock",
    };
    (format!("{base}/{}/{door}", member.id), body)
}

async fn send(client: reqwest::Client, url: String, key: String, body: Vec<u8>) {
    let request = client
        .post(&url)
        .bearer_auth(key)
        .header("content-type", "application/json")
        .body(body);
    match request.send().await {
        Ok(answer) if answer.status().is_success() || answer.status() == 422 => {}
        Ok(answer) => tracing::warn!(
            url,
            status = answer.status().as_u16(),
            "demo: a site's sync was refused"
        ),
        Err(error) => tracing::warn!(url, %error, "demo: a site could not speak"),
    }
}
