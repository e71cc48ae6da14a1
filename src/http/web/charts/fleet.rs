//! The fleet line: one mark a site, grouped by organization; above 200 sites one mark a bin, the worst wins.

use super::super::parts::{Html, Status};
use super::{both, drop_path, svg};

/// The sites of one organization: each status with how many sites in a row have it.
#[derive(Debug, Clone)]
pub struct FleetGroup {
    /// In the order of drawing.
    pub runs: Vec<(Status, u64)>,
}

/// More sites than this are drawn in bins.
const MARKS: u64 = 200;
/// More groups than this are drawn without gaps between them.
const GROUPS: usize = 40;

/// The line for wide and for narrow screens. `finding` is what it shows, in words.
pub fn fleet_line(groups: &[FleetGroup], finding: &str) -> Html {
    let groups = bins(groups);
    let wide = draw("fleet-w", "w fluid", &groups, 1128.0, 26.0, finding);
    let narrow = draw("fleet-n", "n fluid", &groups, 358.0, 7.0, finding);
    both(wide, narrow)
}

/// One status a mark: sites themselves, or bins of so many sites that the marks stay countable.
fn bins(groups: &[FleetGroup]) -> Vec<Vec<Status>> {
    let total: u64 = groups.iter().flat_map(|g| &g.runs).map(|(_, n)| n).sum();
    let size = total.div_ceil(MARKS).max(1);
    let joined;
    let groups = if groups.len() > GROUPS {
        let mut runs: Vec<_> = groups.iter().flat_map(|g| g.runs.clone()).collect();
        runs.sort();
        joined = [FleetGroup { runs }];
        &joined
    } else {
        groups
    };
    groups
        .iter()
        .map(|group| group_bins(group, size))
        .filter(|marks| !marks.is_empty())
        .collect()
}

fn group_bins(group: &FleetGroup, size: u64) -> Vec<Status> {
    let mut marks = Vec::new();
    let (mut worst, mut filled) = (None::<Status>, 0);
    for &(status, count) in &group.runs {
        let mut left = count;
        while left > 0 {
            let taken = left.min(size - filled);
            worst = Some(worst.map_or(status, |w| w.min(status)));
            filled += taken;
            left -= taken;
            if filled == size {
                marks.extend(worst.take());
                filled = 0;
            }
        }
    }
    marks.extend(worst);
    marks
}

const ROW: f64 = 34.0;
const BASE: f64 = 14.0;
const GAP: f64 = 7.0;

fn draw(
    id: &str,
    class: &str,
    groups: &[Vec<Status>],
    width: f64,
    most: f64,
    finding: &str,
) -> String {
    let marks: usize = groups.iter().map(Vec::len).sum();
    let gaps = GAP * groups.len().saturating_sub(1) as f64;
    // Wide: everything on one row. Narrow: rows, wrapped between marks.
    let step = if most > 10.0 {
        ((width - gaps) / marks.max(1) as f64).clamp(3.0, most)
    } else {
        most
    };
    let mut pen = Pen::default();
    let (mut x, mut row) = (0.0, 0);
    for group in groups {
        for status in group {
            if x + step > width + 0.5 {
                x = 0.0;
                row += 1;
            }
            pen.mark(*status, x, f64::from(row) * ROW + BASE, step);
            x += step;
        }
        x += GAP;
    }
    let height = f64::from(row + 1) * ROW;
    svg(
        id,
        class,
        width,
        height,
        "The fleet, one mark a site",
        finding,
        &pen.finish(),
    )
}

/// Collects the marks of one kind in one path each: small and quick to draw.
#[derive(Default)]
struct Pen {
    base: String,
    ticks: String,
    crosses: String,
    diamonds: String,
    rings: String,
    open: String,
    overdue: String,
}

impl Pen {
    fn mark(&mut self, status: Status, x: f64, y: f64, step: f64) {
        let middle = x + step / 2.0;
        if status == Status::Silent {
            let (left, top) = (middle - 2.5, y - 2.5);
            self.crosses += &format!("M{left:.1} {top:.1}l5 5m-5 0l5-5");
            return;
        }
        self.base += &format!("M{x:.1} {:.1}h{step:.1}", y + 0.5);
        match status {
            Status::Overdue => {
                self.overdue += &format!(
                    "{}M{:.1} {y:.1}h1.500v4h-1.500z",
                    drop_path(middle, y + 2.0, 15.0),
                    middle - 0.75
                )
            }
            Status::Exposed => self.open += &drop_path(middle, y + 1.0, 11.5),
            Status::Unsupported | Status::Revoked => {
                self.rings += &format!(
                    "M{:.1} {:.1}a3 3 0 1 0 6 0a3 3 0 1 0-6 0z",
                    middle - 3.0,
                    y - 3.5
                );
            }
            Status::Unknown | Status::NotChecked | Status::Pending => {
                self.diamonds += &format!(
                    "M{middle:.1} {:.1}l3.500 3.500l-3.500 3.500l-3.500-3.500z",
                    y - 7.5
                );
            }
            Status::Update => self.ticks += &format!("M{middle:.1} {y:.1}v-9"),
            _ => self.ticks += &format!("M{middle:.1} {y:.1}v-5"),
        }
    }

    fn finish(self) -> String {
        [
            ("base", self.base),
            ("tick", self.ticks),
            ("cross", self.crosses),
            ("ring", self.rings),
            ("diamond", self.diamonds),
            ("drop", self.open),
            ("drop full", self.overdue),
        ]
        .into_iter()
        .filter(|(_, path)| !path.is_empty())
        .map(|(class, path)| format!(r#"<path class="{class}" d="{path}"/>"#))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn above_two_hundred_sites_marks_are_bins_and_the_worst_wins() {
        let group = FleetGroup {
            runs: vec![(Status::Exposed, 1), (Status::Fine, 9_999)],
        };
        let marks = bins(&[group]).concat();
        assert_eq!(marks.len(), 200);
        assert_eq!(marks[0], Status::Exposed);
        assert!(marks[1..].iter().all(|m| *m == Status::Fine));
    }

    #[test]
    fn many_small_groups_stay_countable() {
        let groups = vec![
            FleetGroup {
                runs: vec![(Status::Fine, 1)]
            };
            14_000
        ];
        assert_eq!(bins(&groups).concat().len(), 200);
    }
}
