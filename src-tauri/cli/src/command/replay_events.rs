//! `riskctl replay-events`: recorded inputs through a fresh engine with the rules of the home. Has no clock
//! and no connection: the same files and the same rules give the same lines on every machine.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, BufWriter, Write},
    path::Path,
};

use domain::{AccountId, Action, Event, Instant, LockEnd, LockKey, RuleKey, Rulebook, memory::Memory};
use engine::rules::BUILT;
use runtime::{
    Home,
    journal::{self, Decided, Line, Replay},
    lines,
};
use serde_json::{Map, Value, json};
use store::{AuditAction, AuditOutcome};
use views::text::{Zones, lockout, note, reason, words};

use crate::{args::ReplayEvents, exit::Failure, print};

const FORM: &str = "A line is {\"at\": \"2026-06-10T14:30:00Z\", \"event\": {\"event\": \"tick\"}}; docs/events.md \
    lists all events";

/// Replays the files, one after the other.
pub fn run(home: Option<&Path>, options: &ReplayEvents) -> Result<(), Failure> {
    let mut replay = Replay::new(rulebook(&Home::find(home)?)?);
    let mut teller =
        Teller { out: BufWriter::new(io::stdout().lock()), json: options.json, locks: BTreeMap::new() };
    let mut inputs = 0_u64;
    for path in &options.files {
        let named = |error: String| Failure::other(format!("{}: {error}", path.display()));
        let file = File::open(path).map_err(|error| {
            named(format!(
                "{error}. A running engine records its inputs in logs/events-DATE.jsonl of its home"
            ))
        })?;
        for line in journal::read(BufReader::new(file)) {
            match line.map_err(|error| named(format!("{error}. {FORM}")))? {
                Line::Lost { at, lost } => print::remark(format!(
                    "{}: {lost} inputs before {at} were not recorded; what follows may differ from what happened",
                    path.display()
                )),
                Line::Taken(taken) => {
                    inputs += 1;
                    if let Event::Restored(memory) = &taken.event {
                        teller.remember(memory);
                    }
                    replay.take(*taken).iter().try_for_each(|decided| teller.tell(decided))?;
                }
            }
        }
    }
    replay.finish().iter().try_for_each(|decided| teller.tell(decided))?;
    teller.end(inputs)
}

fn rulebook(home: &Home) -> Result<Rulebook, Failure> {
    let loaded = config::check(&home.config(), &|name| std::env::var(name).ok(), &BUILT);
    loaded.map(|loaded| loaded.rulebook).map_err(Failure::settings)
}

/// Prints what was decided.
struct Teller<W: Write> {
    out: W,
    json: bool,
    /// Ends of the lockouts that were told: a lowered baseline alone is no news, as in the audit.
    locks: BTreeMap<LockKey, LockEnd>,
}

/// An action in the words of the audit.
struct Words<'a> {
    account: Option<&'a AccountId>,
    rule: Option<RuleKey>,
    action: Option<AuditAction>,
    outcome: Option<AuditOutcome>,
    reason: Option<String>,
}

impl<W: Write> Teller<W> {
    /// A start: these lockouts were told before it.
    fn remember(&mut self, memory: &Memory) {
        let lockouts = memory.accounts.values().flat_map(|account| &account.lockouts);
        self.locks = lockouts.map(|it| (it.key.clone(), it.end)).collect();
    }

    fn tell(&mut self, Decided { at, action }: &Decided) -> Result<(), Failure> {
        let words = self.words(action);
        let line = match self.json {
            true => Some(object(*at, action, &words).map_err(Failure::other)?.to_string()),
            false => sentence(*at, action, &words),
        };
        line.map_or(Ok(()), |line| writeln!(self.out, "{line}").map_err(Failure::output))
    }

    fn end(mut self, inputs: u64) -> Result<(), Failure> {
        let told = if self.json { Ok(()) } else { writeln!(self.out, "{inputs} inputs were replayed.") };
        told.and_then(|()| self.out.flush()).map_err(Failure::output)
    }

    fn words<'a>(&mut self, action: &'a Action) -> Words<'a> {
        let nobody = Words { account: None, rule: None, action: None, outcome: None, reason: None };
        match action {
            Action::Lock { lockout } => {
                let is_news = self.locks.insert(lockout.key.clone(), lockout.end) != Some(lockout.end);
                Words {
                    account: Some(&lockout.key.account),
                    rule: Some(lockout.key.rule),
                    action: Some(AuditAction::of_lock(lockout.kind)),
                    outcome: is_news.then_some(AuditOutcome::Recorded),
                    reason: Some(lockout::reason(lockout)),
                }
            }
            Action::Unlock { key, cause } => {
                self.locks.remove(key);
                Words {
                    account: Some(&key.account),
                    rule: Some(key.rule),
                    action: Some(AuditAction::of_end(cause)),
                    outcome: Some(AuditOutcome::Recorded),
                    reason: Some(lockout::ended(cause)),
                }
            }
            Action::Enforce(it) => Words {
                account: Some(&it.account),
                rule: Some(it.rule),
                action: Some(AuditAction::of_deed(&it.deed)),
                outcome: Some(AuditOutcome::Pending),
                reason: Some(reason::full(&it.breach)),
            },
            Action::Observe(it) => Words {
                account: Some(&it.account),
                rule: Some(it.rule),
                action: Some(AuditAction::of_observation(it)),
                outcome: Some(AuditOutcome::Observed),
                reason: Some(reason::full(&it.breach)),
            },
            Action::Alert(alert) => Words { account: alert.account.as_ref(), ..nobody },
            Action::RecordFill { fill, .. } => Words { account: Some(&fill.account), ..nobody },
            Action::RecordStopDeadline { account, .. }
            | Action::RecordManaged { account, .. }
            | Action::Differ { account, .. }
            | Action::Reset { account, .. } => Words { account: Some(account), ..nobody },
            Action::Ask(_) => nobody,
        }
    }
}

/// One line for programs: what all lines have, then the members of the action itself.
fn object(at: Instant, action: &Action, words: &Words<'_>) -> serde_json::Result<Value> {
    let mut members: Map<String, Value> = match serde_json::to_value(action)? {
        Value::Object(members) => members,
        bare @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Map::from_iter([("value".to_string(), bare)])
        }
    };
    let own = members.shift_remove("action");
    let mut line = Map::new();
    line.insert("at".to_string(), json!(at));
    let asked = members.get("account").cloned().unwrap_or_default();
    line.insert("account".to_string(), words.account.map_or(asked, |account| json!(account)));
    line.insert("rule".to_string(), json!(words.rule));
    line.insert("action".to_string(), words.action.map_or(json!(own), |action| json!(lines::action(action))));
    line.insert("reason".to_string(), json!(words.reason));
    line.insert("outcome".to_string(), json!(words.outcome));
    for (name, value) in members {
        line.entry(name).or_insert(value);
    }
    Ok(Value::Object(line))
}

/// One line for people; `None` for what the engine only wants kept or asked.
fn sentence(at: Instant, action: &Action, words: &Words<'_>) -> Option<String> {
    let (what, text) = match (action, words.action, words.rule) {
        (Action::Alert(alert), ..) => {
            let scene = note::Scene {
                now: at,
                zones: Zones::CENTRAL,
                broker: "the broker",
                account: None,
                open: &[],
                still_locked: false,
                symbols: &BTreeMap::new(),
            };
            let note = note::alert(alert, &scene);
            ("alert", format!("{}: {}", note.title, note.body))
        }
        (_, Some(action), Some(rule)) if words.outcome.is_some() => {
            let reason = words.reason.as_deref().unwrap_or_default();
            (lines::action(action), format!("{}: {reason}", words::title(rule)))
        }
        _ => return None,
    };
    let account = words.account.map_or("all", AccountId::as_str);
    Some(format!("{}  {account}  {what:<16}  {text}", at.format("%Y-%m-%d %H:%M:%S%.3f")))
}
