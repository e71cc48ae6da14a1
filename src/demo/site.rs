//! A simulated site: what it runs, how it is cared for, and what its agent sends. It knows what is
//! published, never what Dewline makes of it.

use serde_json::{Value, json};

use super::cast::{Care, Part, Quirk};
use super::catalogue::{DAY, HOUR, Plan, instant};
use super::dice::Dice;

/// What runs on the Drupal 7 sites: names and versions of their last years.
const DRUPAL_7: [(&str, &str); 30] = [
    ("views", "7.x-3.8"),
    ("ctools", "7.x-1.4"),
    ("token", "7.x-1.5"),
    ("pathauto", "7.x-1.2"),
    ("rules", "7.x-2.7"),
    ("webform", "7.x-4.0"),
    ("features", "7.x-2.0"),
    ("link", "7.x-1.2"),
    ("email", "7.x-1.3"),
    ("xmlsitemap", "7.x-2.0"),
    ("linkit", "7.x-3.1"),
    ("facetapi", "7.x-1.4"),
    ("context", "7.x-3.2"),
    ("devel", "7.x-1.5"),
    ("content_access", "7.x-1.2"),
    ("globalredirect", "7.x-1.5"),
    ("logintoboggan", "7.x-1.4"),
    ("metatag", "7.x-1.0"),
    ("redirect", "7.x-1.0"),
    ("colorbox", "7.x-2.8"),
    ("captcha", "7.x-1.2"),
    ("diff", "7.x-3.2"),
    ("field_group", "7.x-1.4"),
    ("honeypot", "7.x-1.17"),
    ("paragraphs", "7.x-1.0"),
    ("quicktabs", "7.x-3.6"),
    ("scheduler", "7.x-1.3"),
    ("search_api", "7.x-1.13"),
    ("simplenews", "7.x-1.1"),
    ("admin_menu", "7.x-3.0"),
];
/// Modules that a site of their quirk has, and no other.
const SPECIAL: [&str; 3] = ["oakum_backup", "postern_gate", UNREADABLE];
/// The module whose version nobody can read.
const UNREADABLE: &str = "lantern_menu";

/// A module on a site.
#[derive(Debug, Clone)]
struct Installed {
    plan: usize,
    branch: usize,
    place: usize,
    enabled: bool,
    /// It is the development snapshot of its branch: dated, or not.
    snapshot: Option<Option<i64>>,
}

/// A site and what runs on it.
#[derive(Debug)]
pub struct Site {
    /// The part it plays.
    pub part: Part,
    /// Its number in the cast.
    pub number: usize,
    /// Its own dice.
    pub dice: Dice,
    core: (usize, usize),
    modules: Vec<Installed>,
    php: &'static str,
    /// When it is cared for next.
    next_care: i64,
}

impl Site {
    /// The site as it is when Dewline comes.
    pub fn new(number: usize, part: Part, plans: &[Plan], seed: u64, now: i64) -> Self {
        let dice = Dice::of(seed, part.host);
        // A copy begins with what its original has.
        let twin = Dice::of(seed, &format!("{} {}", part.organization, part.name));
        let as_of = now - behind(part.care) * DAY;
        let mut site = Self {
            part,
            number,
            core: newest_core(plans, part.core, as_of).unwrap_or_default(),
            modules: Vec::new(),
            php: twin
                .pick(&["8.2.28", "8.3.6", "8.3.21", "8.4.7"])
                .copied()
                .unwrap_or("8.3.6"),
            next_care: 0,
            dice,
        };
        if part.core != 7 {
            site.choose(plans, &twin, as_of);
        }
        site.plan_care(now - now.rem_euclid(DAY));
        site
    }

    fn choose(&mut self, plans: &[Plan], twin: &Dice, as_of: i64) {
        let usual = |plan: &Plan| plan.kind != "core" && !SPECIAL.contains(&plan.name.as_str());
        let mut all: Vec<usize> = (0..plans.len())
            .filter(|at| plans.get(*at).is_some_and(usual))
            .collect();
        twin.shuffle(&mut all);
        for plan in all
            .into_iter()
            .take(usize::try_from(self.part.modules).unwrap_or(0))
        {
            self.install(plans, plan, as_of);
        }
        for module in &mut self.modules {
            module.enabled = !twin.chance(6);
        }
        let special = match self.part.quirk {
            Quirk::Unsupported => Some("oakum_backup"),
            Quirk::Revoked => Some("postern_gate"),
            _ => None,
        };
        if let Some(at) = plans
            .iter()
            .position(|plan| Some(plan.name.as_str()) == special)
        {
            self.install(plans, at, as_of);
        }
        self.take_snapshots(plans, as_of);
    }

    fn take_snapshots(&mut self, plans: &[Plan], as_of: i64) {
        let (many, dated) = match self.part.quirk {
            Quirk::Snapshots => (4, true),
            Quirk::UndatedSnapshot => (1, false),
            _ => return,
        };
        // A snapshot without a date is on a project that never had a security release.
        let calm = |plan: &Plan| {
            plan.branches
                .iter()
                .flat_map(|b| &b.releases)
                .all(|issue| !issue.security)
        };
        let fits = |module: &&mut Installed| {
            plans
                .get(module.plan)
                .is_some_and(|plan| dated || calm(plan))
        };
        for module in self.modules.iter_mut().filter(fits).take(many) {
            module.enabled = true;
            module.snapshot = Some(dated.then_some(as_of));
        }
    }

    fn install(&mut self, plans: &[Plan], plan: usize, at: i64) -> bool {
        let Some(of) = plans.get(plan) else {
            return false;
        };
        let newest = of
            .branches
            .iter()
            .enumerate()
            .filter_map(|(branch, b)| Some((branch, b.newest(at)?)))
            .next_back();
        match newest {
            Some((branch, place)) if !self.modules.iter().any(|module| module.plan == plan) => {
                self.modules.push(Installed {
                    plan,
                    branch,
                    place,
                    enabled: true,
                    snapshot: None,
                });
                true
            }
            _ => false,
        }
    }

    /// Names of the projects that it has.
    pub fn projects<'a>(&'a self, plans: &'a [Plan]) -> impl Iterator<Item = &'a str> {
        let old = if self.part.core == 7 {
            self.drupal_7()
        } else {
            &[]
        };
        let odd = (self.part.quirk == Quirk::Unreadable).then_some(UNREADABLE);
        std::iter::once("drupal")
            .chain(
                self.modules
                    .iter()
                    .filter_map(|module| Some(plans.get(module.plan)?.name.as_str())),
            )
            .chain(old.iter().map(|(name, _)| *name))
            .chain(odd)
    }

    fn drupal_7(&self) -> &'static [(&'static str, &'static str)] {
        let many = usize::try_from(self.part.modules)
            .unwrap_or(0)
            .min(DRUPAL_7.len());
        DRUPAL_7.get(..many).unwrap_or(&DRUPAL_7)
    }

    /// It runs a plan's branch, enabled.
    pub fn runs(&self, plan: usize, branch: usize) -> bool {
        self.modules
            .iter()
            .any(|module| module.plan == plan && module.branch == branch && module.enabled)
    }

    /// The instant of the day's work on it, if it is cared for on the day that begins then.
    pub fn cared_for_on(&mut self, midnight: i64) -> Option<i64> {
        if self.part.care == Care::Never || self.next_care >= midnight + DAY {
            return None;
        }
        let at = self.next_care.max(midnight);
        self.plan_care(midnight + DAY);
        Some(at)
    }

    fn plan_care(&mut self, from: i64) {
        let number = i64::try_from(self.number).unwrap_or(0);
        let weekday =
            |day: i64| (from + (day - from.div_euclid(DAY)).rem_euclid(7) * DAY).max(from);
        // Staging comes before production: an update is tried there first.
        let day = match (self.part.environment, self.part.care) {
            ("staging", _) => weekday(4),
            (_, Care::Prompt) => weekday(5),
            (_, Care::Weekly) => weekday(number % 3 + 5),
            (_, Care::Monthly) => from + self.dice.between(24, 34) * DAY,
            (_, Care::Late | Care::Never) => from + self.dice.between(45, 80) * DAY,
        };
        self.next_care = day + 5 * HOUR + self.dice.between(0, 7 * HOUR);
    }

    /// Somebody cares for it: everything is brought up to date, and sometimes something else changes.
    pub fn care(&mut self, plans: &[Plan], at: i64) {
        self.update(plans, at);
        if self.part.core == 7
            || self.part.environment == "staging"
            || self.part.quirk == Quirk::UndatedSnapshot
        {
            return;
        }
        if self.dice.chance(7) {
            let plan = usize::try_from(self.dice.between(1, 90)).unwrap_or(1);
            if plans
                .get(plan)
                .is_some_and(|plan| !SPECIAL.contains(&plan.name.as_str()))
            {
                self.install(plans, plan, at);
            }
        }
        let most = i64::try_from(self.modules.len()).unwrap_or(0) - 1;
        let place = usize::try_from(self.dice.between(0, most)).unwrap_or(0);
        let chance = self.dice.between(0, 99);
        if let Some(module) = self.modules.get_mut(place) {
            let special = plans
                .get(module.plan)
                .is_some_and(|plan| SPECIAL.contains(&plan.name.as_str()));
            match chance {
                _ if special => {}
                0..3 => drop(self.modules.remove(place)),
                3..6 => module.enabled = !module.enabled,
                // An update didn't work: one step back, until the next time.
                6..8 => module.place = module.place.saturating_sub(1),
                _ => {}
            }
        }
    }

    /// Brings everything up to date.
    pub fn update(&mut self, plans: &[Plan], at: i64) {
        self.update_core(plans, at);
        for module in &mut self.modules {
            if let Some(branch) = plans
                .get(module.plan)
                .and_then(|plan| plan.branches.get(module.branch))
            {
                module.place = branch.newest(at).unwrap_or(module.place).max(module.place);
                if let Some(Some(date)) = &mut module.snapshot {
                    *date = at - 2 * HOUR;
                }
            }
        }
    }

    fn update_core(&mut self, plans: &[Plan], at: i64) {
        let Some(core) = plans.first().filter(|_| self.part.core != 7) else {
            return;
        };
        let patience = match self.part.care {
            Care::Prompt => 10,
            Care::Weekly => 21,
            Care::Monthly => 35,
            Care::Late | Care::Never => 60,
        };
        let ripe = newest_core(plans, self.part.core, at - patience * DAY);
        let branch = ripe.map_or(self.core.0, |(branch, _)| branch.max(self.core.0));
        if let Some(place) = core.branches.get(branch).and_then(|b| b.newest(at)) {
            self.core = if branch == self.core.0 {
                (branch, place.max(self.core.1))
            } else {
                (branch, place)
            };
        }
    }

    /// Brings to safety what is exposed; false: nothing was.
    pub fn patch(&mut self, plans: &[Plan], at: i64) -> bool {
        let mut patched = false;
        let branch_of = |plan: usize, branch: usize| plans.get(plan)?.branches.get(branch);
        if self.part.core != 7
            && let Some(branch) = branch_of(0, self.core.0)
            && branch.is_exposed(self.core.1, at)
            && let Some(newest) = branch.newest(at)
        {
            self.core.1 = newest;
            patched = true;
        }
        for module in &mut self.modules {
            if let Some(branch) = branch_of(module.plan, module.branch)
                && branch.is_exposed(module.place, at)
                && let Some(newest) = branch.newest(at)
            {
                module.place = newest;
                patched = true;
            }
        }
        patched
    }

    /// What its agent sends: the body of a sync.
    pub fn inventory(&self, plans: &[Plan], at: i64) -> Value {
        let mut modules =
            vec![json!({"name": "drupal", "type": "core", "version": self.core_version(plans)})];
        for module in &self.modules {
            modules.extend(entry(module, plans));
        }
        if self.part.core == 7 {
            let old = self.drupal_7().iter();
            modules.extend(old.map(|(name, version)| json!({"name": name, "version": version})));
        }
        modules.extend(self.own_code());
        json!({
            "schema": 1,
            "generated_at": instant(at).to_string(),
            "agent": {"name": "dewline-drupal", "version": "1.0.0"},
            "site": {
                "name": self.part.name,
                "url": format!("https://{}", self.part.host),
                "drupal_version": self.core_version(plans),
                "php_version": if self.part.core == 7 { "7.4.33" } else { self.php },
                "database": {"driver": "mysql", "version": if self.part.core == 7 { "5.7.44" } else { "8.0.42" }},
                "install_profile": "standard",
                "cron_last_run": instant(at - self.dice.between(60, 3_000)).to_string(),
                "status_report": {"errors": i64::from(self.part.care == Care::Never), "warnings": self.dice.between(0, 3)},
            },
            "modules": modules,
        })
    }

    /// Its `composer.lock`.
    pub fn lock(&self, plans: &[Plan]) -> Value {
        let mut packages = vec![
            json!({"name": "drupal/core", "type": "drupal-core", "version": self.core_version(plans)}),
            json!({"name": "drupal/core-recommended", "type": "metapackage", "version": self.core_version(plans)}),
            json!({"name": "symfony/yaml", "type": "library", "version": "v7.3.1"}),
            json!({"name": "guzzlehttp/guzzle", "type": "library", "version": "7.9.3"}),
            json!({"name": "twig/twig", "type": "library", "version": "v3.21.1"}),
        ];
        for module in &self.modules {
            if let Some((plan, version)) = version(module, plans) {
                packages.push(json!({
                    "name": format!("drupal/{}", plan.name),
                    "type": format!("drupal-{}", plan.kind),
                    "version": composer(&version),
                    "extra": {"drupal": {"version": version}},
                }));
            }
        }
        json!({"packages": packages, "packages-dev": [{"name": "drupal/devel", "type": "drupal-module", "version": "5.4.0"}]})
    }

    fn core_version(&self, plans: &[Plan]) -> String {
        if self.part.core == 7 {
            return "7.103".to_owned();
        }
        plans
            .first()
            .and_then(|core| core.branches.get(self.core.0)?.releases.get(self.core.1))
            .map(|issue| issue.version.clone())
            .unwrap_or_default()
    }

    fn own_code(&self) -> Vec<Value> {
        let prefix: String = self
            .part
            .host
            .split('.')
            .rev()
            .nth(1)
            .unwrap_or("site")
            .replace('-', "_");
        let own = |name: &str, title: &str, version: &str| json!({"name": format!("{prefix}_{name}"), "title": title, "version": version, "custom": true});
        match self.part.quirk {
            Quirk::Custom => vec![
                own("core", "Shared helpers", "2.4.0"),
                own("workflow", "Approval workflow", "1.9.2"),
                own("import", "Nightly import", "1.3.0"),
                own("sso", "Staff sign-in", "1.0.5"),
                json!({"name": format!("{prefix}_theme"), "title": "House style", "type": "theme", "version": "3.1.0", "custom": true}),
            ],
            Quirk::Unreadable => {
                vec![json!({"name": UNREADABLE, "title": "Lantern Menu", "version": "build-4711"})]
            }
            _ => Vec::new(),
        }
    }
}

/// How many days behind a site is when Dewline comes.
fn behind(care: Care) -> i64 {
    match care {
        Care::Prompt | Care::Weekly => 3,
        Care::Monthly => 30,
        Care::Late => 90,
        Care::Never => 240,
    }
}

/// The newest branch of that major version with a release at that time, and its newest release.
fn newest_core(plans: &[Plan], major: u8, at: i64) -> Option<(usize, usize)> {
    let prefix = format!("{major}.");
    let branches = plans.first()?.branches.iter().enumerate();
    branches
        .filter(|(_, branch)| branch.prefix.starts_with(&prefix))
        .filter_map(|(number, branch)| Some((number, branch.newest(at)?)))
        .next_back()
}

fn version<'a>(module: &Installed, plans: &'a [Plan]) -> Option<(&'a Plan, String)> {
    let plan = plans.get(module.plan)?;
    let branch = plan.branches.get(module.branch)?;
    let version = match module.snapshot {
        Some(_) => format!("{}x-dev", branch.prefix),
        None => branch.releases.get(module.place)?.version.clone(),
    };
    Some((plan, version))
}

fn entry(module: &Installed, plans: &[Plan]) -> Option<Value> {
    let (plan, version) = version(module, plans)?;
    let title = plan.title.strip_suffix(" (demo)").unwrap_or(&plan.title);
    let mut entry = json!({
        "name": plan.name, "title": title, "type": plan.kind, "version": version,
        "enabled": module.enabled, "composer": format!("drupal/{}", plan.name),
    });
    if let (Some(Some(date)), Some(fields)) = (module.snapshot, entry.as_object_mut()) {
        fields.insert("datestamp".to_owned(), json!(date));
    }
    Some(entry)
}

/// The version as Composer writes it: `8.x-1.17` is `1.17.0`.
fn composer(version: &str) -> String {
    match version.strip_prefix("8.x-") {
        Some(rest) => format!("{rest}.0"),
        None => version.to_owned(),
    }
}
