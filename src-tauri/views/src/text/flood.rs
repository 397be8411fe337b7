//! No flood of notifications: of each rule at most one a minute, the rest summed up when the minute is over.
//! What concerns protection itself is never held back, and what only hints holds back nothing but hints.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use domain::RuleKey;

use super::{Note, Purpose, words};

/// Between two notifications of one rule.
pub const QUIET: Duration = Duration::from_secs(60);

/// What was shown of each rule, and what waits. Its clock is whoever calls it.
#[derive(Debug, Default)]
pub struct Flood {
    rules: BTreeMap<RuleKey, Held>,
}

#[derive(Debug)]
struct Held {
    shown: Instant,
    /// Only hints were shown in this minute.
    is_hint: bool,
    latest: Option<Note>,
    count: u32,
}

impl Flood {
    /// A note that may be shown now comes back; one too many of its rule is kept for the sum.
    pub fn take(&mut self, note: Note, now: Instant) -> Option<Note> {
        let Some(rule) = note.rule else { return Some(note) };
        let is_hint = note.purpose == Purpose::Hint;
        match self.rules.get_mut(&rule) {
            Some(held) if now < held.shown + QUIET && held.is_hint && !is_hint => {
                (held.shown, held.is_hint) = (now, false);
                Some(note)
            }
            Some(held) if now < held.shown + QUIET => {
                let severity =
                    held.latest.as_ref().map_or(note.severity, |it| it.severity.max(note.severity));
                held.latest = Some(Note { severity, ..note });
                held.count = held.count.saturating_add(1);
                None
            }
            Some(_) | None => {
                self.rules.insert(rule, Held { shown: now, is_hint, latest: None, count: 0 });
                Some(note)
            }
        }
    }

    /// What was kept of rules whose minute is over: one note each.
    pub fn due(&mut self, now: Instant) -> Vec<Note> {
        self.rules.retain(|_, held| held.latest.is_some() || now < held.shown + QUIET);
        let over = self.rules.iter_mut().filter(|(_, held)| now >= held.shown + QUIET);
        over.filter_map(|(rule, held)| {
            let (count, latest) = (std::mem::take(&mut held.count), held.latest.take()?);
            (held.shown, held.is_hint) = (now, latest.purpose == Purpose::Hint);
            Some(summed_up(*rule, latest, count))
        })
        .collect()
    }

    /// When something is due next.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        let waiting = self.rules.values().filter(|held| held.latest.is_some());
        waiting.map(|held| held.shown + QUIET).min()
    }
}

/// One alone is told as it is.
fn summed_up(rule: RuleKey, latest: Note, count: u32) -> Note {
    match count {
        0 | 1 => latest,
        more => Note {
            title: format!(
                "{}: {} in the last minute",
                words::title(rule),
                words::count(more, "more message")
            ),
            body: format!("The latest: {}. {}", latest.title, latest.body),
            ..latest
        },
    }
}

#[cfg(test)]
mod tests {
    use domain::Severity;

    use super::*;
    use crate::text::Purpose;

    fn note(rule: Option<RuleKey>, title: &str, severity: Severity) -> Note {
        Note {
            title: title.to_owned(),
            body: "Closed 1 MNQ.".to_owned(),
            severity,
            rule,
            purpose: Purpose::News,
        }
    }

    const LOSS: Option<RuleKey> = Some(RuleKey::DailyUnrealizedLoss);

    #[test]
    fn one_a_minute_of_each_rule_and_the_rest_as_a_sum() {
        let (mut flood, begun) = (Flood::default(), Instant::now());
        let at = |seconds| begun + Duration::from_secs(seconds);
        let info = |title| note(LOSS, title, Severity::Warning);
        assert_eq!(flood.take(info("one"), at(0)), Some(info("one")));
        assert_eq!(flood.take(note(LOSS, "two", Severity::Error), at(5)), None);
        assert_eq!(flood.take(info("three"), at(59)), None);
        let other = note(Some(RuleKey::MaxContracts), "other", Severity::Warning);
        assert_eq!(flood.take(other.clone(), at(59)), Some(other), "another rule has a minute of its own");
        assert_eq!(flood.next_due(), Some(at(60)));
        assert!(flood.due(at(59)).is_empty());
        let [sum] = &flood.due(at(60))[..] else { panic!("one sum") };
        assert_eq!(sum.title, "Open Loss per Position: 2 more messages in the last minute");
        assert_eq!(sum.body, "The latest: three. Closed 1 MNQ.");
        assert_eq!(sum.severity, Severity::Error, "as grave as the gravest of them");
        assert_eq!(flood.take(info("four"), at(61)), None, "the sum counts as shown");
        assert_eq!(flood.due(at(120)), [info("four")], "one alone is told as it is");
        assert_eq!(flood.next_due(), None);
        assert!(flood.due(at(300)).is_empty());
        assert_eq!(flood.take(info("five"), at(300)), Some(info("five")));
    }

    #[test]
    fn hints_are_held_back_and_hold_back_no_news() {
        let (mut flood, begun) = (Flood::default(), Instant::now());
        let at = |seconds| begun + Duration::from_secs(seconds);
        let news = |title| note(LOSS, title, Severity::Warning);
        let hint = |title| Note { purpose: Purpose::Hint, ..news(title) };
        assert!(flood.take(hint("near"), at(0)).is_some());
        assert_eq!(flood.take(hint("nearer"), at(5)), None);
        assert!(flood.take(news("locked"), at(10)).is_some(), "what was done does not wait for a hint");
        assert_eq!(flood.take(news("closed"), at(20)), None, "its own minute has begun");
        assert_eq!(flood.take(hint("over"), at(30)), None);
        assert!(flood.due(at(60)).is_empty());
        let [sum] = &flood.due(at(70))[..] else { panic!("one sum") };
        assert_eq!(sum.title, "Open Loss per Position: 3 more messages in the last minute");
    }

    #[test]
    fn what_concerns_protection_is_never_held_back() {
        let (mut flood, now) = (Flood::default(), Instant::now());
        for _ in 0..3 {
            assert!(flood.take(note(None, "Not protected", Severity::Error), now).is_some());
        }
    }
}
