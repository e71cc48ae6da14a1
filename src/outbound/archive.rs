//! Reading a catalogue that somebody carried here: a folder, or a tar archive, packed or not. Nothing is
//! ever unpacked onto the disk, links are not followed, and everything is bounded. It knows by their
//! names which files are release histories and advisories, not what is in them.

use std::collections::HashSet;
use std::fs::{File, Metadata};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path};

use flate2::read::MultiGzDecoder;

use crate::domain::inventory::is_project_name;

/// How much is taken.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Entries looked at, folders and skipped files included.
    pub entries: usize,
    /// Bytes of one history.
    pub bytes_each: u64,
    /// Bytes of one file of advisories.
    pub bytes_of_advisories: u64,
    /// Bytes of the whole archive, unpacked, skipped files included; of a folder, of what is read.
    pub bytes_in_all: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            entries: 100_000,
            bytes_each: 16 << 20,
            bytes_of_advisories: 8 << 20,
            bytes_in_all: 2 << 30,
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// `release-history/{project}/current` or `release-history/{project}.xml`.
    History {
        /// The project that the name of the file says.
        project: String,
        /// What is in it, unread.
        bytes: Vec<u8>,
        /// When the file was made, Unix seconds: its data is that old. 0: nobody knows.
        made_at: i64,
    },
    /// `advisories/{name}.json`.
    Advisories {
        /// Its path inside the folder or archive, fit to be shown.
        path: String,
        /// What is in it, unread.
        bytes: Vec<u8>,
    },
    /// Something that is of no use, and why.
    Skipped {
        /// Its path inside the folder or archive, fit to be shown.
        path: String,
        /// A few words for people.
        reason: &'static str,
    },
}

/// Why reading could not begin, or had to end early; in words for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

/// Hands over everything that a folder or an archive holds, in the order of its names (a folder) or of
/// the archive. Blocks: not for a thread that others wait for.
///
/// # Errors
/// Where there is nothing to read, or a bound was reached; what was found until then has been handed over.
pub fn read(path: &Path, bounds: Bounds, found: &mut dyn FnMut(Found)) -> Result<(), Unreadable> {
    let said = |error: std::io::Error| Unreadable(format!("{}: {error}", path.display()));
    let mut reading = Reading {
        bounds,
        found,
        entries: 0,
        bytes: 0,
        projects: HashSet::new(),
    };
    if std::fs::metadata(path).map_err(said)?.is_dir() {
        // The folder may itself be the one that holds the histories, or the advisories.
        let own = path.canonicalize().map_err(said)?;
        let root = ["release-history", "advisories"]
            .into_iter()
            .filter(|name| own.file_name().is_some_and(|own| own == *name))
            .map(str::to_owned)
            .collect::<Vec<_>>();
        return reading.folder(path, &root);
    }
    let mut file = File::open(path).map_err(said)?;
    let mut start = [0_u8; 2];
    let packed = file.read_exact(&mut start).is_ok() && start == [0x1F, 0x8B];
    file.seek(SeekFrom::Start(0)).map_err(said)?;
    let file = BufReader::new(file);
    if packed {
        reading.archive(MultiGzDecoder::new(file))
    } else {
        reading.archive(file)
    }
}

struct Reading<'a> {
    bounds: Bounds,
    found: &'a mut dyn FnMut(Found),
    entries: usize,
    bytes: u64,
    projects: HashSet<String>,
}

/// What the name of a file says about it.
enum Name {
    History(String),
    Advisories,
    Of(&'static str),
}

const DEEPEST: usize = 16;

impl Reading<'_> {
    fn folder(&mut self, folder: &Path, names: &[String]) -> Result<(), Unreadable> {
        let Ok(entries) = std::fs::read_dir(folder) else {
            self.skip(names, "could not be read");
            return Ok(());
        };
        let mut entries: Vec<_> = entries.flatten().collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            self.count()?;
            let mut names = names.to_vec();
            names.push(entry.file_name().to_string_lossy().into_owned());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && names.len() > DEEPEST => {
                    self.skip(&names, "too deep inside");
                }
                Ok(kind) if kind.is_dir() => self.folder(&entry.path(), &names)?,
                Ok(kind) if kind.is_file() => {
                    let opened = File::open(entry.path());
                    let metadata = entry.metadata();
                    let size = metadata.as_ref().map_or(u64::MAX, Metadata::len);
                    let made_at = metadata.map_or(0, |metadata| metadata.mtime());
                    match opened {
                        Ok(file) => self.file(&names, (size, made_at), file)?,
                        Err(_) => self.skip(&names, "could not be read"),
                    }
                }
                Ok(_) => self.skip(&names, "not a plain file"),
                Err(_) => self.skip(&names, "could not be read"),
            }
        }
        Ok(())
    }

    fn archive(&mut self, source: impl Read) -> Result<(), Unreadable> {
        let whole = source.take(self.bounds.bytes_in_all);
        let mut archive = tar::Archive::new(whole);
        let broken = |_| {
            Unreadable(
                "the archive is not a tar archive, is cut short, or is larger than what is taken"
                    .to_owned(),
            )
        };
        let mut any = false;
        for entry in archive.entries().map_err(broken)? {
            let entry = entry.map_err(broken)?;
            any = true;
            self.count()?;
            let path = entry.path_bytes();
            let path = String::from_utf8_lossy(&path).into_owned();
            let names: Vec<String> = path.split('/').map(str::to_owned).collect();
            let kind = entry.header().entry_type();
            if kind.is_dir() || kind.is_pax_global_extensions() {
                continue;
            }
            if !kind.is_file() {
                self.skip(&names, "not a plain file");
                continue;
            }
            let made_at = entry.header().mtime().ok();
            let made_at = made_at.and_then(|at| i64::try_from(at).ok()).unwrap_or(0);
            self.file(&names, (entry.size(), made_at), entry)?;
        }
        if any {
            Ok(())
        } else {
            Err(Unreadable(
                "the archive is empty, or not a tar archive".to_owned(),
            ))
        }
    }

    fn file(
        &mut self,
        names: &[String],
        (size, made_at): (u64, i64),
        content: impl Read,
    ) -> Result<(), Unreadable> {
        let (most, project) = match name(names) {
            Name::History(project) => (self.bounds.bytes_each, Some(project)),
            Name::Advisories => (self.bounds.bytes_of_advisories, None),
            Name::Of(reason) => {
                self.skip(names, reason);
                return Ok(());
            }
        };
        if size > most {
            self.skip(names, "too large");
            return Ok(());
        }
        if project
            .as_ref()
            .is_some_and(|project| self.projects.contains(project))
        {
            self.skip(names, "a second history of the same project");
            return Ok(());
        }
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > self.bounds.bytes_in_all {
            return Err(Unreadable(format!(
                "more than {} bytes of release histories and advisories",
                self.bounds.bytes_in_all
            )));
        }
        let mut bytes = Vec::new();
        // The size is a claim; what is read is bounded by it.
        if content.take(size).read_to_end(&mut bytes).is_err() {
            self.skip(names, "could not be read");
            return Ok(());
        }
        match project {
            Some(project) => {
                self.projects.insert(project.clone());
                (self.found)(Found::History {
                    project,
                    bytes,
                    made_at,
                });
            }
            None => {
                let path = shown(names);
                (self.found)(Found::Advisories { path, bytes });
            }
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), Unreadable> {
        self.entries += 1;
        if self.entries > self.bounds.entries {
            return Err(Unreadable(format!(
                "more than {} files",
                self.bounds.entries
            )));
        }
        Ok(())
    }

    fn skip(&mut self, names: &[String], reason: &'static str) {
        let path = shown(names);
        (self.found)(Found::Skipped { path, reason });
    }
}

/// A path fit to be shown.
fn shown(names: &[String]) -> String {
    let path: String = names.join("/").chars().take(300).collect();
    path.replace(|c: char| c.is_control(), "\u{FFFD}")
}

/// Tells by the name of a file what it is. A folder around everything doesn't matter, as archives have it.
fn name(names: &[String]) -> Name {
    let path = Path::new("").join(names.join("/"));
    if !path
        .components()
        .all(|c| matches!(c, Component::Normal(_) | Component::CurDir))
    {
        return Name::Of("a path that leads outside");
    }
    let parts: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|n| !matches!(*n, "" | "."))
        .collect();
    let project = match parts.as_slice() {
        [.., "release-history", project, "current"] => project,
        [.., "release-history", file] => match file.strip_suffix(".xml") {
            Some(project) => project,
            None => return Name::Of("not a release history"),
        },
        [.., "advisories", file] if file.ends_with(".json") => return Name::Advisories,
        [.., "advisories", _] => return Name::Of("not a file of advisories"),
        _ => return Name::Of("neither a release history nor advisories"),
    };
    if is_project_name(project) {
        Name::History(project.to_owned())
    } else {
        Name::Of("not the name of a project")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const SMALL: Bounds = Bounds {
        entries: 100,
        bytes_each: 50,
        bytes_of_advisories: 20,
        bytes_in_all: 1 << 20,
    };

    fn all(path: &Path, bounds: Bounds) -> (Vec<String>, Result<(), Unreadable>) {
        let mut found = Vec::new();
        let ended = read(path, bounds, &mut |one| {
            found.push(match one {
                Found::History { project, bytes, .. } => {
                    format!("{project}: {}", String::from_utf8_lossy(&bytes))
                }
                Found::Advisories { path, bytes } => {
                    format!("{path}: {}", String::from_utf8_lossy(&bytes))
                }
                Found::Skipped { path, reason } => format!("{path}: {reason}"),
            });
        });
        (found, ended)
    }

    fn write(folder: &Path, name: &str, content: &str) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn tar(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in entries {
            let mut header = tar::Header::new_gnu();
            let field = &mut header.as_old_mut().name;
            field[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(content.len() as u64);
            header.set_cksum();
            builder.append(&header, content.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn a_folder_gives_its_histories_and_says_what_it_left() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        write(at, "release-history/rope/current", "R");
        write(at, "release-history/ladder.xml", "L");
        write(at, "release-history/rope.xml", "again");
        write(at, "release-history/Big Name.xml", "x");
        write(at, "release-history/huge.xml", &"x".repeat(51));
        write(at, "advisories/DRUPAL-CORE-2026-001.json", "{}");
        write(at, "advisories/huge.json", &"x".repeat(21));
        write(at, "advisories/README.md", "x");
        write(at, "README.md", "x");
        std::os::unix::fs::symlink("/etc/hostname", at.join("release-history/link.xml")).unwrap();
        let (found, ended) = all(at, SMALL);
        assert_eq!(ended, Ok(()));
        assert_eq!(
            found,
            [
                "README.md: neither a release history nor advisories",
                "advisories/DRUPAL-CORE-2026-001.json: {}",
                "advisories/README.md: not a file of advisories",
                "advisories/huge.json: too large",
                "release-history/Big Name.xml: not the name of a project",
                "release-history/huge.xml: too large",
                "ladder: L",
                "release-history/link.xml: not a plain file",
                "rope: R",
                "release-history/rope.xml: a second history of the same project",
            ]
        );
        let (found, _) = all(&at.join("release-history"), SMALL);
        assert!(found.contains(&"rope: R".to_owned()));
        let (found, _) = all(&at.join("advisories"), SMALL);
        assert!(found.contains(&"advisories/DRUPAL-CORE-2026-001.json: {}".to_owned()));
    }

    #[test]
    fn an_archive_is_read_packed_or_not() {
        let bytes = tar(&[
            ("./release-history/rope/current", "R"),
            ("export/release-history/ladder.xml", "L"),
            ("release-history/../../etc/passwd", "x"),
            ("/release-history/abs.xml", "x"),
        ]);
        for bytes in [packed(&bytes), bytes] {
            let (found, ended) = all(file(&bytes).path(), SMALL);
            assert_eq!(ended, Ok(()));
            assert_eq!(
                found,
                [
                    "rope: R",
                    "ladder: L",
                    "release-history/../../etc/passwd: a path that leads outside",
                    "/release-history/abs.xml: a path that leads outside",
                ]
            );
        }
    }

    #[test]
    fn bounds_end_the_reading_and_keep_what_came_before() {
        let many: Vec<_> = (0..5).map(|_| ("other", "x")).collect();
        let bytes = tar(&[[("release-history/rope.xml", "R")].as_slice(), &many].concat());
        let few = Bounds {
            entries: 3,
            ..SMALL
        };
        let (found, ended) = all(file(&bytes).path(), few);
        assert_eq!(found.first().map(String::as_str), Some("rope: R"));
        assert_eq!(ended.unwrap_err().to_string(), "more than 3 files");

        let bomb = "x".repeat(5 << 20);
        let bytes = packed(&tar(&[
            ("release-history/rope.xml", "R"),
            ("bomb", &bomb),
            ("b", "x"),
        ]));
        let (found, ended) = all(file(&bytes).path(), SMALL);
        assert_eq!(found.len(), 2);
        assert!(ended.is_err());
    }

    #[test]
    fn what_is_no_archive_is_refused_in_words() {
        assert!(all(Path::new("/nowhere/at/all"), SMALL).1.is_err());
        let cut = packed(&tar(&[("release-history/rope.xml", "R")]));
        for bytes in [b"".as_slice(), b"plain words", &cut[..30], &[0; 2048]] {
            assert!(all(file(bytes).path(), SMALL).1.is_err(), "{bytes:?}");
        }
    }
}
