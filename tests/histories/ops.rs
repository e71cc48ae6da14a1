//! What can happen in a history, and histories made by chance.

/// The words of environments, in the order of their numbers.
pub const ENVIRONMENTS: [&str; 3] = ["production", "staging", "development"];
/// Where offices are: none, half an hour and an hour are changed there in spring and autumn.
pub const ZONES: [&str; 5] = [
    "UTC",
    "Europe/Vienna",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
];
/// The branches of every module; what they begin with is a supported branch.
pub const BRANCHES: [&str; 3] = ["1.0.", "2.0.", "8.x-3."];
pub const SITES: u64 = 3;
pub const MODULES: u64 = 2;

/// A branch of a module: its numbers.
pub type Line = (usize, usize);

/// What is promised in an environment: nothing, hours of the calendar, or hours of business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    Nothing,
    Hours([u32; 5]),
    Business([u32; 5]),
}

/// What a site runs of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// The n-th release of a branch.
    Release(usize, u32),
    /// A version that nobody can put in order.
    Odd,
    /// A snapshot of a branch.
    Dev(usize),
    /// On disk and not enabled.
    Disabled(usize, u32),
    Absent,
}

/// One thing that happens. Times are in minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    Wait(i64),
    /// The server's clock is set back.
    Back(i64),
    Sync(usize, [Runs; 2]),
    /// The next release of a branch, dated so many minutes from now; `None`: without a date that can be used.
    Publish {
        line: Line,
        security: bool,
        dated: Option<i64>,
    },
    /// The newest security release without an advisory is taken back.
    TakeBack(Line),
    /// A release is marked insecure.
    Mark(Line, u32),
    /// A branch is supported no longer, or again.
    Drop(Line),
    /// drupal.org's answer can't be read; `true`: it knows no such project.
    Fails(usize, bool),
    /// An advisory about all below the newest security release; a score, or unknown.
    Advise(Line, Option<u8>),
    /// An advisory about everything of a branch up to now: nothing fixes it.
    AdviseWithoutFix(Line, Option<u8>),
    /// The advisories of a branch without a fix are corrected: the newest security release fixes them.
    Correct(Line),
    /// The advisories of a module are taken back.
    Retract(usize),
    /// What was published is told to the sites.
    Jobs,
    Delete(usize),
    Restore(usize),
    /// For each environment; the number of the zone; so many days from today are holidays.
    Policy([Terms; 3], usize, Vec<i64>),
    Move(usize, usize),
}

impl Op {
    /// As it is written in `cases.rs`.
    pub fn as_code(&self) -> String {
        match self {
            Self::Policy(terms, zone, days) => {
                format!("Op::Policy({terms:?}, {zone}, vec!{days:?})")
            }
            other => format!("Op::{other:?}"),
        }
    }

    /// The same with less in it, the simplest first.
    pub fn simpler(&self) -> Vec<Self> {
        let mut all = match self {
            Self::Wait(minutes) => vec![
                Self::Wait(1),
                Self::Wait(minutes / 2),
                Self::Wait(minutes - 1),
            ],
            Self::Sync(site, [poll, wiki]) => vec![
                Self::Sync(*site, [Runs::Absent, *wiki]),
                Self::Sync(*site, [*poll, Runs::Absent]),
            ],
            Self::Publish { line, security, .. } => vec![Self::Publish {
                line: *line,
                security: *security,
                dated: Some(0),
            }],
            Self::Advise(line, _) => vec![Self::Advise(*line, None)],
            Self::Policy(terms, zone, _) => vec![
                Self::Policy(*terms, 0, Vec::new()),
                Self::Policy(*terms, *zone, Vec::new()),
            ],
            _ => Vec::new(),
        };
        all.retain(|op| op != self && *op != Self::Wait(0));
        all
    }
}

/// A repeatable sequence.
pub struct Chance(u64);

impl Chance {
    pub fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn minutes(&mut self, most: u64) -> i64 {
        i64::try_from(self.below(most)).unwrap()
    }

    fn place(&mut self, limit: u64) -> usize {
        usize::try_from(self.below(limit)).unwrap()
    }

    fn terms(&mut self) -> Terms {
        let kind = self.below(4);
        let most = if kind == 1 { 8 } else { 40 };
        let first = u32::try_from(self.below(most)).unwrap() + 1;
        let hours = [first, first * 2, first * 5, first * 9, first * 20];
        match kind {
            0 => Terms::Nothing,
            1 => Terms::Business(hours),
            _ => Terms::Hours(hours),
        }
    }

    fn policy(&mut self) -> Op {
        let terms = [self.terms(), self.terms(), self.terms()];
        let holidays = (0..self.below(4)).map(|_| self.minutes(20)).collect();
        Op::Policy(terms, self.place(ZONES.len() as u64), holidays)
    }

    /// A branch: mostly the first.
    fn branch(&mut self) -> usize {
        [0, 0, 0, 1, 1, 2][self.place(6)]
    }

    fn score(&mut self) -> Option<u8> {
        [None, Some(2), Some(7), Some(12), Some(17), Some(22)][self.place(6)]
    }

    fn runs(&mut self, newest: [u32; 3], wild: bool) -> Runs {
        let branch = self.branch();
        let number = u32::try_from(self.below(u64::from(newest[branch]) + 2)).unwrap();
        match self.below(12) {
            0 => Runs::Odd,
            1 => Runs::Absent,
            2 => Runs::Disabled(branch, number),
            3 if wild => Runs::Dev(branch),
            _ => Runs::Release(branch, number),
        }
    }

    /// A history. What is wild happens in it only where the model isn't asked.
    pub fn history(&mut self, wild: bool) -> Vec<Op> {
        let mut newest = [[0_u32; 3]; 2];
        let mut ops = Vec::new();
        for _ in 0..12 + self.below(30) {
            let long = [30, 300, 3_000, 20_000][self.place(4)];
            ops.push(Op::Wait(1 + self.minutes(long)));
            let (site, module) = (self.place(SITES), self.place(MODULES));
            let branch = self.branch();
            let line = (module, branch);
            ops.push(match self.below(if wild { 33 } else { 25 }) {
                0..=8 => {
                    let each = newest.map(|newest| self.runs(newest, wild));
                    Op::Sync(site, each)
                }
                9..=12 => {
                    newest[module][branch] += 1;
                    let security = self.below(4) > 0;
                    let dated = match self.below(6) {
                        0 => None,
                        1 => Some(self.minutes(1_440)),
                        2 => Some(-self.minutes(43_200)),
                        _ => Some(-self.minutes(120)),
                    };
                    Op::Publish {
                        line,
                        security,
                        dated,
                    }
                }
                13 | 14 => Op::Advise(line, self.score()),
                15 => Op::TakeBack(line),
                16 => Op::Delete(site),
                17 | 18 => Op::Restore(site),
                19 => self.policy(),
                20 => Op::Move(site, self.place(3)),
                21..=24 => Op::Jobs,
                25 => {
                    let all = u64::from(newest[module][branch]) + 1;
                    Op::Mark(line, u32::try_from(self.below(all)).unwrap())
                }
                26 => Op::Fails(module, self.below(2) == 0),
                27 => Op::AdviseWithoutFix(line, self.score()),
                28 => Op::Retract(module),
                29 => Op::Drop(line),
                30 | 31 => Op::Correct(line),
                _ => Op::Back(1 + self.minutes(120)),
            });
        }
        ops
    }
}
