//! What a life was told, as the journal keeps it, told again to a fresh engine: the same decisions, the same
//! state.

use domain::Action;
use runtime::journal::Replay;

use crate::process::Process;

/// What a life told its engine, as it is journalled, gives the same decisions and the same state again.
pub(crate) fn replayed(process: &Process) -> Result<(), String> {
    let mut replay = Replay::new(process.recording.rulebook.clone());
    let mut again = Vec::new();
    for taken in &process.recording.taken {
        let line = serde_json::to_string(taken).map_err(|error| error.to_string())?;
        let read = runtime::journal::read(line.as_bytes()).next();
        let Some(Ok(runtime::journal::Line::Taken(read))) = read else {
            return Err(format!("not read back: {line}"));
        };
        if *read != *taken {
            return Err(format!("read back otherwise: {line}"));
        }
        again.extend(replay.take(*read));
    }
    again.extend(replay.finish());
    let again = again.into_iter().map(|decided| decided.action).filter(is_written);
    let first = process.recording.decided.iter();
    for (number, (first, again)) in first.clone().zip(again.clone()).enumerate() {
        if *first != again {
            return Err(format!("decision {number}: {first:?}, then {again:?}"));
        }
    }
    if first.count() != again.count() {
        return Err("another number of decisions".to_string());
    }
    let (first, again) = (format!("{:?}", process.core.engine()), format!("{:?}", replay.engine()));
    if first == again { Ok(()) } else { Err("another state in the end".to_string()) }
}

/// Whether an action leaves a record by which it can be compared.
fn is_written(action: &Action) -> bool {
    match action {
        Action::Lock { .. }
        | Action::Unlock { .. }
        | Action::Enforce(_)
        | Action::RecordFill { .. }
        | Action::RecordStopDeadline { .. }
        | Action::RecordManaged { .. }
        | Action::Reset { .. } => true,
        Action::Observe(_) | Action::Alert(_) | Action::Ask(_) | Action::Differ { .. } => false,
    }
}
