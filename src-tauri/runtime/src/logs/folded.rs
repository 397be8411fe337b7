//! Errors of foreign parts that repeat themselves, folded into "n times" (L-68, specification C.18): they
//! hide no line that somebody should see. Our own lines are never folded, each of them is evidence.

use std::{
    io::{self, Write},
    time::{Duration, Instant as Monotonic},
};

use super::is_ours;

/// While a line goes on repeating itself, it is told this often how many times it came.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Writes lines of JSON, each with one call, and folds those that say nothing new.
#[derive(Debug)]
pub(super) struct Folded<W: Write> {
    to: W,
    /// The crate whose lines are ours as well.
    broker: &'static str,
    /// The last line that may be folded, without its time.
    last: Option<Vec<u8>>,
    /// How many times it came again since that was told last.
    times: u64,
    told: Monotonic,
    /// The time of the last one, as it stood in the line.
    stamp: Vec<u8>,
}

impl<W: Write> Folded<W> {
    pub fn new(to: W, broker: &'static str) -> Self {
        Self { to, broker, last: None, times: 0, told: Monotonic::now(), stamp: Vec::new() }
    }

    fn tell(&mut self) -> io::Result<()> {
        let times = std::mem::take(&mut self.times);
        self.told = Monotonic::now();
        if times == 0 {
            return Ok(());
        }
        let mut line = self.stamp.clone();
        write!(
            line,
            r#""level":"WARN","fields":{{"message":"the line before came {times} more times","times":{times}}},"target":"errors"}}"#
        )?;
        line.push(b'\n');
        self.to.write_all(&line)
    }
}

impl<W: Write> Write for Folded<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let (stamp, said) = split(line);
        if self.last.as_deref() == Some(said) {
            self.times += 1;
            self.stamp = stamp.to_vec();
            if self.told.elapsed() >= TOLD_EVERY {
                self.tell()?;
            }
            return Ok(line.len());
        }
        self.tell()?;
        self.last = may_be_folded(said, self.broker).then(|| said.to_vec());
        self.to.write_all(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl<W: Write> Drop for Folded<W> {
    fn drop(&mut self) {
        let _ = self.tell().and_then(|()| self.to.flush());
    }
}

/// Time and the rest: `{"timestamp":"…",` and `"level":"…`.
fn split(line: &[u8]) -> (&[u8], &[u8]) {
    line.split_at(find(line, b"\"level\":").unwrap_or_default())
}

fn may_be_folded(said: &[u8], broker: &str) -> bool {
    let is_grave = [&b"\"level\":\"WARN\""[..], b"\"level\":\"ERROR\""].iter().any(|it| said.starts_with(it));
    // Inside a text the quotation marks would be escaped.
    const TARGET: &[u8] = b"\"target\":\"";
    let target = find(said, TARGET).map(|at| &said[at + TARGET.len()..]);
    let target = target.and_then(|rest| rest.split(|byte| *byte == b'"').next());
    is_grave && target.and_then(|it| str::from_utf8(it).ok()).is_some_and(|target| !is_ours(target, broker))
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|it| it == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(second: u32, level: &str, text: &str, target: &str) -> String {
        format!(
            r#"{{"timestamp":"2026-06-10T14:30:0{second}Z","level":"{level}","fields":{{"message":"{text}"}},"target":"{target}"}}"#
        ) + "\n"
    }

    fn written(lines: &[String]) -> Vec<String> {
        let mut file = Vec::new();
        let mut log = Folded::new(&mut file, "broker");
        lines.iter().for_each(|line| log.write_all(line.as_bytes()).unwrap());
        drop(log);
        String::from_utf8(file).unwrap().lines().map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn what_a_foreign_part_says_again_and_again_is_told_once_with_how_many_times() {
        let again = |second| line(second, "WARN", "cannot parse", "tungstenite::protocol");
        let other = line(4, "INFO", "go on", "daemon");
        let last = line(6, "ERROR", "cannot parse", "tungstenite::protocol");
        let lines = [again(1), again(2), again(3), other.clone(), again(5), last.clone(), last.clone()];
        let told = written(&lines);
        assert_eq!(told.len(), 6, "{told:#?}");
        assert_eq!((&told[0], &told[2], &told[3], &told[4]), (&lines[0], &other, &lines[4], &last));
        let more: serde_json::Value = serde_json::from_str(&told[1]).unwrap();
        assert_eq!(
            (&more["timestamp"], &more["fields"]["times"]),
            (&"2026-06-10T14:30:03Z".into(), &2.into())
        );
        assert!(told[5].contains("came 1 more times"), "{}", told[5]);
    }

    #[test]
    fn our_own_lines_and_the_ordinary_course_are_never_folded() {
        for (level, target) in [("ERROR", "errors"), ("WARN", "broker::stream"), ("INFO", "hyper::client")] {
            let lines = [1, 2, 3].map(|second| line(second, level, r#"a \"target\":\"hyper\""#, target));
            assert_eq!(written(&lines), lines);
        }
    }
}
