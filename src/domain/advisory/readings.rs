//! Which releases of a history the advisories of a project name, each read once, when it is first asked for:
//! every version that is judged asks the same of the releases of its branch.

use std::sync::atomic::{AtomicU8, Ordering};

/// What was read so far. Of one history and one list of advisories, in their orders.
#[derive(Debug)]
pub struct Readings {
    releases: usize,
    told: Box<[AtomicU8]>,
}

impl Readings {
    const CANNOT_TELL: u8 = 1;
    const NO: u8 = 2;
    const YES: u8 = 3;

    /// Nothing was read of so many releases and advisories.
    #[must_use]
    pub fn new(releases: usize, advisories: usize) -> Self {
        let cells = releases.saturating_mul(advisories);
        Self {
            releases,
            told: (0..cells).map(|_| AtomicU8::new(0)).collect(),
        }
    }

    /// Bytes that it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.told.len()
    }

    /// Whether an advisory names a release, both by their places; `None`: it can't be compared.
    pub fn either(
        &self,
        advisory: usize,
        release: usize,
        read: impl FnOnce() -> Option<bool>,
    ) -> Option<bool> {
        let place = advisory.checked_mul(self.releases).map(|row| row + release);
        let Some(cell) = place.and_then(|place| self.told.get(place)) else {
            return read();
        };
        match cell.load(Ordering::Relaxed) {
            Self::CANNOT_TELL => None,
            Self::NO => Some(false),
            Self::YES => Some(true),
            _ => {
                let told = read();
                let word = match told {
                    None => Self::CANNOT_TELL,
                    Some(false) => Self::NO,
                    Some(true) => Self::YES,
                };
                cell.store(word, Ordering::Relaxed);
                told
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_is_read_once() {
        let readings = Readings::new(2, 2);
        for told in [None, Some(false), Some(true)] {
            let readings = Readings::new(2, 2);
            assert_eq!(readings.either(1, 0, || told), told);
            assert_eq!(readings.either(1, 0, || unreachable!()), told);
        }
        assert_eq!(readings.either(0, 1, || Some(true)), Some(true));
        assert_eq!(readings.either(1, 1, || Some(false)), Some(false));
        assert_eq!(readings.either(7, 0, || None), None, "of another history");
    }
}
