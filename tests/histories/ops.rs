//! What can happen in a history, and histories made by chance.

/// The words of environments, in the order of their numbers.
pub const ENVIRONMENTS: [&str; 3] = ["production", "staging", "development"];
pub const SITES: u64 = 3;
pub const MODULES: u64 = 2;

/// What is promised in an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    Nothing,
    Hours([u32; 5]),
}

/// What a site runs of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// 1.0.n.
    Release(u32),
    /// A version that nobody can put in order.
    Odd,
    /// A snapshot of the branch.
    Dev,
    /// On disk and not enabled.
    Disabled(u32),
    Absent,
}

/// One thing that happens. Times are in minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    Wait(i64),
    /// The server's clock is set back.
    Back(i64),
    Sync(usize, [Runs; 2]),
    /// The next release of a module, dated so many minutes from now; `None`: without a date that can be used.
    Publish {
        module: usize,
        security: bool,
        dated: Option<i64>,
    },
    /// The newest security release without an advisory is taken back.
    TakeBack(usize),
    /// A release is marked insecure.
    Mark(usize, u32),
    /// drupal.org's answer can't be read; `true`: it knows no such project.
    Fails(usize, bool),
    /// An advisory about all below the newest security release; a score, or unknown.
    Advise(usize, Option<u8>),
    /// An advisory about everything up to now: nothing fixes it.
    AdviseWithoutFix(usize, Option<u8>),
    /// The advisories of a module without a fix are corrected: the newest security release fixes them.
    Correct(usize),
    /// The advisories of a module are taken back.
    Retract(usize),
    /// What was published is told to the sites.
    Jobs,
    Delete(usize),
    Restore(usize),
    Policy([Terms; 3]),
    Move(usize, usize),
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
        if self.below(4) == 0 {
            return Terms::Nothing;
        }
        let first = u32::try_from(self.below(40)).unwrap() + 1;
        Terms::Hours([first, first * 2, first * 5, first * 9, first * 20])
    }

    fn score(&mut self) -> Option<u8> {
        [None, Some(2), Some(7), Some(12), Some(17), Some(22)][self.place(6)]
    }

    fn runs(&mut self, newest: u32, wild: bool) -> Runs {
        let number = u32::try_from(self.below(u64::from(newest) + 2)).unwrap();
        match self.below(12) {
            0 => Runs::Odd,
            1 => Runs::Absent,
            2 => Runs::Disabled(number),
            3 if wild => Runs::Dev,
            _ => Runs::Release(number),
        }
    }

    /// A history. What is wild happens in it only where the model isn't asked.
    pub fn history(&mut self, wild: bool) -> Vec<Op> {
        let mut newest = [0_u32; 2];
        let mut ops = Vec::new();
        for _ in 0..12 + self.below(30) {
            let long = [30, 300, 3_000, 20_000][self.place(4)];
            ops.push(Op::Wait(1 + self.minutes(long)));
            let (site, module) = (self.place(SITES), self.place(MODULES));
            ops.push(match self.below(if wild { 32 } else { 25 }) {
                0..=8 => {
                    let each = newest.map(|newest| self.runs(newest, wild));
                    Op::Sync(site, each)
                }
                9..=12 => {
                    newest[module] += 1;
                    let security = self.below(4) > 0;
                    let dated = match self.below(6) {
                        0 => None,
                        1 => Some(self.minutes(1_440)),
                        2 => Some(-self.minutes(43_200)),
                        _ => Some(-self.minutes(120)),
                    };
                    Op::Publish {
                        module,
                        security,
                        dated,
                    }
                }
                13 | 14 => Op::Advise(module, self.score()),
                15 => Op::TakeBack(module),
                16 => Op::Delete(site),
                17 | 18 => Op::Restore(site),
                19 => Op::Policy([self.terms(), self.terms(), self.terms()]),
                20 => Op::Move(site, self.place(3)),
                21..=24 => Op::Jobs,
                25 => Op::Mark(
                    module,
                    u32::try_from(self.below(u64::from(newest[module]) + 1)).unwrap(),
                ),
                26 => Op::Fails(module, self.below(2) == 0),
                27 => Op::AdviseWithoutFix(module, self.score()),
                28 => Op::Retract(module),
                29 | 30 => Op::Correct(module),
                _ => Op::Back(1 + self.minutes(120)),
            });
        }
        ops
    }
}
