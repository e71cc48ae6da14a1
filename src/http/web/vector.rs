//! drupal.org's risk vector in plain words, part by part. What it counts is the domain's.

/// One part of a vector: what it is about, and what it says.
pub type Part = (&'static str, &'static str);

/// The parts of a vector that can be read, in the vector's order.
pub fn explained(vector: &str) -> Vec<Part> {
    vector
        .split('/')
        .filter_map(|part| {
            let (name, value) = part.trim().split_once(':')?;
            said(name.trim(), value.trim())
        })
        .collect()
}

fn said(name: &str, value: &str) -> Option<Part> {
    Some(match (name, value) {
        ("AC", "None") => ("To attack", "nothing special is needed"),
        ("AC", "Basic") => ("To attack", "a certain path must be followed"),
        ("AC", "Complex") => ("To attack", "special conditions must be met"),
        ("A", "None") => ("Account", "none is needed"),
        ("A", "User") => ("Account", "an ordinary one is needed"),
        ("A", "Admin") => ("Account", "one with far-reaching permissions"),
        ("CI", "All") => ("Can be read", "everything that isn't public"),
        ("CI", "Some") => ("Can be read", "some of what isn't public"),
        ("CI", "None") => ("Can be read", "nothing that isn't public"),
        ("II", "All") => ("Can be changed", "everything"),
        ("II", "Some") => ("Can be changed", "some data"),
        ("II", "None") => ("Can be changed", "nothing"),
        ("E", "Exploit") => ("Attacks", "are known"),
        ("E", "Proof") => ("Attacks", "shown to be possible"),
        ("E", "Theoretical") => ("Attacks", "none is known"),
        ("TD", "All") => ("Open to it", "every configuration"),
        ("TD", "Default") => ("Open to it", "usual configurations"),
        ("TD", "Uncommon") => ("Open to it", "unusual configurations only"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::advisory::record::score;

    #[test]
    fn every_part_that_counts_has_words() {
        for vector in [
            "AC:None/A:None/CI:All/II:All/E:Exploit/TD:All",
            "AC:Basic/A:User/CI:Some/II:Some/E:Proof/TD:Default",
            "AC:Complex/A:Admin/CI:None/II:None/E:Theoretical/TD:Uncommon",
        ] {
            assert!(score(vector).is_some());
            assert_eq!(explained(vector).len(), 6, "{vector}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        assert_eq!(
            explained("AC:None/XX:None/high"),
            [("To attack", "nothing special is needed")]
        );
    }
}
