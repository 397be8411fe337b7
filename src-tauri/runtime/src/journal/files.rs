//! The files of the journal: one a UTC day, bounded in size and number. What cannot be written is counted
//! and told in the next line.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, TryRecvError},
};

use chrono::NaiveDate;
use serde::Serialize;

use super::{Line, Step, Taken};

/// Size at which a day's file is full: the rest of the day is left out.
const LARGEST_FILE_BYTES: u64 = 256 << 20;
/// Files that are kept, the present day's included; the oldest go.
const KEPT_FILES: usize = 7;

const PREFIX: &str = "events-";
const SUFFIX: &str = ".jsonl";

/// A directory with one file a day: `events-2026-06-10.jsonl`.
pub(super) struct Files {
    directory: PathBuf,
    open: Option<Open>,
    lost: u64,
}

/// The file of a day.
struct Open {
    date: NaiveDate,
    file: BufWriter<File>,
    bytes: u64,
}

impl Files {
    pub fn new(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        Ok(Self { directory: directory.to_path_buf(), open: None, lost: 0 })
    }

    /// Writes until nobody can hand over any more.
    pub fn write(&mut self, work: &Receiver<Step>) {
        loop {
            let step = match work.try_recv() {
                Ok(step) => Some(step),
                Err(TryRecvError::Disconnected) => None,
                Err(TryRecvError::Empty) => {
                    // Nothing waits: others may want to read what was written.
                    self.flush();
                    work.recv().ok()
                }
            };
            let Some(Step { lost, taken }) = step else { break };
            self.lost += lost;
            taken.into_iter().for_each(|input| self.take(input));
        }
        self.flush();
    }

    fn take(&mut self, input: Taken) {
        let (at, lost) = (input.at, self.lost);
        let written = self.of_day(at.date_naive()).and_then(|file| {
            if lost > 0 {
                file.line(&Line::Lost { at, lost })?;
            }
            file.line(&Line::Taken(Box::new(input)))
        });
        match written {
            Ok(()) => self.lost = 0,
            Err(error) => self.failed(&error),
        }
    }

    fn flush(&mut self) {
        if let Some(Err(error)) = self.open.as_mut().map(|open| open.file.flush()) {
            self.failed(&error);
        }
    }

    /// Told once for each row of failures; a full or missing disk must not fill the log as well.
    fn failed(&mut self, error: &io::Error) {
        if self.lost == 0 {
            tracing::error!(target: "errors", "inputs are left out of the journal: {error}");
        }
        self.lost += 1;
    }

    fn of_day(&mut self, date: NaiveDate) -> io::Result<&mut Open> {
        if self.open.as_ref().is_none_or(|open| open.date != date) {
            if let Some(mut old) = self.open.take() {
                old.file.flush()?;
            }
            let open = self.open.insert(Open::new(&self.directory, date)?);
            let_go(&self.directory);
            return Ok(open);
        }
        self.open.as_mut().ok_or_else(|| io::Error::other("no file is open"))
    }
}

impl Open {
    fn new(directory: &Path, date: NaiveDate) -> io::Result<Self> {
        let path = directory.join(format!("{PREFIX}{date}{SUFFIX}"));
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { date, file: BufWriter::new(file), bytes })
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        if self.bytes >= LARGEST_FILE_BYTES {
            return Err(io::Error::other("the day's file is full"));
        }
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.bytes += text.len() as u64;
        self.file.write_all(&text)
    }
}

/// Takes away all but the newest files. Their names sort by date.
fn let_go(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let is_ours = |name: &str| name.starts_with(PREFIX) && name.ends_with(SUFFIX);
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_ours(name))
        .collect();
    names.sort_unstable();
    let surplus = names.len().saturating_sub(KEPT_FILES);
    for name in &names[..surplus] {
        if let Err(error) = fs::remove_file(directory.join(name)) {
            tracing::warn!(target: "errors", "{name} could not be removed: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Event;

    use super::*;

    fn tick(at: &str) -> Taken {
        Taken { at: at.parse().unwrap(), event: Event::Tick }
    }

    fn files_in(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn each_day_has_its_file_and_the_oldest_go() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("events-notes.txt"), "mine").unwrap();
        let mut files = Files::new(home.path()).unwrap();
        for day in 1..=9 {
            files.take(tick(&format!("2026-06-0{day}T23:59:59.5Z")));
        }
        files.flush();
        let names = files_in(home.path());
        assert_eq!(names.len(), KEPT_FILES + 1);
        assert_eq!(names[0], "events-2026-06-03.jsonl");
        assert_eq!(names.last().unwrap(), "events-notes.txt");
        let text = fs::read_to_string(home.path().join("events-2026-06-09.jsonl")).unwrap();
        assert_eq!(text, "{\"at\":\"2026-06-09T23:59:59.500Z\",\"event\":{\"event\":\"tick\"}}\n");
    }

    #[test]
    fn what_found_no_room_is_told_in_the_next_line_and_a_full_file_takes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let mut files = Files::new(home.path()).unwrap();
        files.lost = 3;
        files.take(tick("2026-06-09T10:00:00Z"));
        files.open.as_mut().unwrap().bytes = LARGEST_FILE_BYTES;
        files.take(tick("2026-06-09T10:00:01Z"));
        files.take(tick("2026-06-09T10:00:02Z"));
        files.take(tick("2026-06-10T10:00:00Z"));
        files.flush();
        let lines = |name: &str| fs::read_to_string(home.path().join(name)).unwrap();
        assert_eq!(
            lines("events-2026-06-09.jsonl").lines().next().unwrap(),
            "{\"at\":\"2026-06-09T10:00:00Z\",\"lost\":3}"
        );
        assert_eq!(lines("events-2026-06-09.jsonl").lines().count(), 2);
        assert_eq!(
            lines("events-2026-06-10.jsonl").lines().next().unwrap(),
            "{\"at\":\"2026-06-10T10:00:00Z\",\"lost\":2}"
        );
    }
}
