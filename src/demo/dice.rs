//! Chance that can be repeated: each subject of the demo has dice of its own, so that adding one
//! changes nothing for the others.

use crate::clock::SeededEntropy;

/// Dice that fall the same way for the same seed and subject.
#[derive(Debug)]
pub struct Dice(SeededEntropy);

impl Dice {
    /// The dice of a subject.
    pub fn of(seed: u64, subject: &str) -> Self {
        // FNV-1a: any spread will do, it only has to stay the same.
        let hash = subject
            .bytes()
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
            });
        Self(SeededEntropy::new(
            seed.wrapping_mul(0x9E37_79B9).wrapping_add(hash),
        ))
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&self, least: i64, most: i64) -> i64 {
        let span = most
            .saturating_sub(least)
            .max(0)
            .unsigned_abs()
            .saturating_add(1);
        least.saturating_add_unsigned(self.0.next_u64() % span)
    }

    /// True in so many of a hundred cases.
    pub fn chance(&self, percent: i64) -> bool {
        self.between(0, 99) < percent
    }

    /// One of them.
    pub fn pick<'a, T>(&self, of: &'a [T]) -> Option<&'a T> {
        let last = i64::try_from(of.len()).ok()?.checked_sub(1)?;
        of.get(usize::try_from(self.between(0, last)).ok()?)
    }

    /// In an order of chance.
    pub fn shuffle<T>(&self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let most = i64::try_from(last).unwrap_or(i64::MAX);
            list.swap(last, usize::try_from(self.between(0, most)).unwrap_or(last));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_subject_fall_the_same_way() {
        let throw = |seed, subject| {
            let dice = Dice::of(seed, subject);
            (0..20).map(|_| dice.between(1, 6)).collect::<Vec<_>>()
        };
        assert_eq!(throw(1, "a"), throw(1, "a"));
        assert_ne!(throw(1, "a"), throw(1, "b"));
        assert_ne!(throw(1, "a"), throw(2, "a"));
        assert!(throw(3, "c").iter().all(|n| (1..=6).contains(n)));
    }
}
