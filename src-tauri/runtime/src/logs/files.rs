//! The log files of one subject: a new one each UTC day and whenever one is full, and those that are too old
//! go. `daemon.2026-06-10.log`, then `daemon.2026-06-10.1.log`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use chrono::{Days, NaiveDate};

const SUFFIX: &str = ".log";

/// What the files of a subject are called, how large they become, and how long they stay.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub directory: PathBuf,
    pub name: &'static str,
    /// A line that would make a file larger goes into the next one.
    pub most_bytes: u64,
    /// Days after its own for which a file stays.
    pub days: u32,
}

/// Writes lines; each call must bring a whole one.
#[derive(Debug)]
pub(super) struct Files {
    terms: Terms,
    open: Open,
    today: fn() -> NaiveDate,
}

#[derive(Debug)]
struct Open {
    date: NaiveDate,
    /// Number among the files of the day.
    part: u32,
    file: File,
    bytes: u64,
}

impl Files {
    /// Goes on where an earlier run of the same day ended.
    pub fn open(terms: Terms, today: fn() -> NaiveDate) -> io::Result<Self> {
        fs::create_dir_all(&terms.directory)?;
        let open = terms.latest(today())?;
        terms.let_go(open.date);
        Ok(Self { terms, open, today })
    }

    fn turn_over(&mut self, today: NaiveDate, bytes: u64) -> io::Result<()> {
        if today != self.open.date {
            self.open = self.terms.latest(today)?;
            self.terms.let_go(today);
        }
        if self.open.bytes > 0 && self.open.bytes + bytes > self.terms.most_bytes {
            self.open = self.terms.part(today, self.open.part + 1)?;
        }
        Ok(())
    }
}

impl Write for Files {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // Where no other file can be had, the one that is open goes on.
        let _ = self.turn_over((self.today)(), line.len() as u64);
        self.open.file.write_all(line)?;
        self.open.bytes += line.len() as u64;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.open.file.flush()
    }
}

impl Terms {
    fn latest(&self, date: NaiveDate) -> io::Result<Open> {
        let parts = self.kept().into_iter().filter(|(_, day, _)| *day == date).map(|(_, _, part)| part);
        self.part(date, parts.max().unwrap_or_default())
    }

    fn part(&self, date: NaiveDate, part: u32) -> io::Result<Open> {
        let number = if part == 0 { String::new() } else { format!(".{part}") };
        let path = self.directory.join(format!("{}.{date}{number}{SUFFIX}", self.name));
        let file = appending(&path)?;
        let bytes = file.metadata()?.len();
        Ok(Open { date, part, file, bytes })
    }

    /// Takes away what is older than it is kept for. Only files with a name that we give.
    fn let_go(&self, today: NaiveDate) {
        let Some(first) = today.checked_sub_days(Days::new(self.days.into())) else { return };
        for (path, _, _) in self.kept().into_iter().filter(|(_, date, _)| *date < first) {
            // Tried again tomorrow and at the next start.
            let _ = fs::remove_file(path);
        }
    }

    /// The files that are there, with day and number.
    fn kept(&self) -> Vec<(PathBuf, NaiveDate, u32)> {
        let Ok(entries) = fs::read_dir(&self.directory) else { return Vec::new() };
        let ours = |entry: fs::DirEntry| {
            let (date, part) = self.dated(entry.file_name().to_str()?)?;
            Some((entry.path(), date, part))
        };
        entries.flatten().filter_map(ours).collect()
    }

    fn dated(&self, file: &str) -> Option<(NaiveDate, u32)> {
        let dated = file.strip_prefix(self.name)?.strip_prefix('.')?.strip_suffix(SUFFIX)?;
        let (date, part) = match dated.split_once('.') {
            Some((date, part)) => (date, part.parse().ok()?),
            None => (dated, 0),
        };
        Some((date.parse().ok()?, part))
    }
}

/// Readable for its owner alone: the folder may lie where others look.
#[cfg(unix)]
fn appending(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn appending(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static TODAY: Cell<NaiveDate> = const { Cell::new(NaiveDate::MIN) };
    }

    fn set_today(date: &str) {
        TODAY.set(date.parse().unwrap());
    }

    fn terms(directory: &Path, most_bytes: u64, days: u32) -> Terms {
        Terms { directory: directory.to_path_buf(), name: "daemon", most_bytes, days }
    }

    fn files(directory: &Path, most_bytes: u64, days: u32) -> Files {
        Files::open(terms(directory, most_bytes, days), || TODAY.get()).unwrap()
    }

    /// Names and what stands in the files.
    fn kept(directory: &Path) -> Vec<(String, String)> {
        let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
        let mut kept: Vec<_> = entries
            .map(|entry| {
                (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
            })
            .collect();
        kept.sort_unstable();
        kept
    }

    fn pair(name: &str, text: &str) -> (String, String) {
        (name.to_string(), text.to_string())
    }

    #[test]
    fn a_line_that_no_longer_fits_begins_the_next_file_of_the_day() {
        let home = tempfile::tempdir().unwrap();
        set_today("2026-06-10");
        let mut log = files(home.path(), 10, 30);
        for line in ["aaaa\n", "bbbb\n", "c\n", "longer than a file\n", "d\n"] {
            log.write_all(line.as_bytes()).unwrap();
        }
        let expected = [
            pair("daemon.2026-06-10.1.log", "c\n"),
            pair("daemon.2026-06-10.2.log", "longer than a file\n"),
            pair("daemon.2026-06-10.3.log", "d\n"),
            pair("daemon.2026-06-10.log", "aaaa\nbbbb\n"),
        ];
        assert_eq!(kept(home.path()), expected);
        drop(log);
        files(home.path(), 10, 30).write_all(b"e\n").unwrap();
        assert_eq!(kept(home.path())[2].1, "d\ne\n", "a later start goes on with the last one");
    }

    #[test]
    fn a_day_has_files_of_its_own_and_those_too_old_go() {
        let home = tempfile::tempdir().unwrap();
        // As they were called before files had a size, and what is nobody's business.
        let old = ["daemon.2026-05-10.log", "daemon.2026-05-11.3.log", "daemon.2026-05-12.log"];
        let others = ["daemon.2026-05-01.log.gz", "errors.2026-05-01.log", "daemon.notes.log"];
        for name in old.iter().chain(&others) {
            fs::write(home.path().join(name), "").unwrap();
        }
        set_today("2026-06-10");
        let mut log = files(home.path(), 1_000, 30);
        log.write_all(b"a\n").unwrap();
        let names = || kept(home.path()).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert!(!names().contains(&old[0].to_string()), "{:?}", names());
        assert!(names().contains(&old[1].to_string()), "thirty days ago is kept");
        set_today("2026-06-11");
        log.write_all(b"b\n").unwrap();
        assert!(!names().contains(&old[1].to_string()) && names().contains(&old[2].to_string()));
        assert!(others.iter().all(|name| names().contains(&name.to_string())), "{:?}", names());
        let texts = kept(home.path());
        assert!(texts.contains(&pair("daemon.2026-06-10.log", "a\n")), "{texts:?}");
        assert!(texts.contains(&pair("daemon.2026-06-11.log", "b\n")), "{texts:?}");
    }

    #[test]
    fn where_no_next_file_can_be_had_the_last_one_goes_on() {
        let home = tempfile::tempdir().unwrap();
        set_today("2026-06-10");
        let mut log = files(home.path(), 4, 30);
        log.write_all(b"aaa\n").unwrap();
        fs::create_dir(home.path().join("daemon.2026-06-10.1.log")).unwrap();
        log.write_all(b"bbb\n").unwrap();
        assert_eq!(fs::read_to_string(home.path().join("daemon.2026-06-10.log")).unwrap(), "aaa\nbbb\n");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_them() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        set_today("2026-06-10");
        let _log = files(home.path(), 10, 30);
        let file = fs::metadata(home.path().join("daemon.2026-06-10.log")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
}
