//! A guard password is looked at beside the loop, one at a time: hashing takes tens of milliseconds and 19 MiB
//! on purpose, and no enforcement waits for it.

use tokio::{sync::oneshot, task::JoinHandle};
use views::{
    control::Reply,
    guard::{GuardAct, Password},
};

use super::{Loop, Sign};
use crate::{
    core::{GuardDeed, Output},
    password::{Hash, PasswordError},
};

/// What came of looking at a password.
pub(crate) struct Proof {
    /// It is the one that is set, or none was needed.
    is_right: bool,
    /// The hash of the new one, if there is one.
    new: Option<Hash>,
}

/// A password that is being looked at, what for, and who waits.
pub(crate) struct Proving {
    deed: GuardDeed,
    checking: JoinHandle<Result<Proof, PasswordError>>,
    answer: oneshot::Sender<Reply>,
}

impl Loop {
    /// Begins to look at a password; where none is needed, does at once what is asked.
    pub(super) async fn guard(&mut self, act: GuardAct, answer: oneshot::Sender<Reply>) {
        let (deed, old, new) = parts(act);
        let checked = new.as_ref().map_or(Ok(()), Password::check);
        let hash = match checked.and_then(|()| self.core.may_guard(&deed, self.clock.now())) {
            Ok(hash) => hash,
            Err(reason) => return refuse(answer, reason),
        };
        if hash.is_none() && new.is_none() {
            let done = self.do_guarded(deed, None).await;
            return reply(answer, done);
        }
        if self.proving.is_some() {
            return refuse(answer, "Another password is being looked at. Try again in a moment.".to_string());
        }
        let checking = tokio::task::spawn_blocking(move || look(hash.as_ref(), old.as_ref(), new.as_ref()));
        self.proving = Some(Proving { deed, checking, answer });
    }

    /// Does what a password was given for, or counts a wrong one.
    pub(super) async fn proved(&mut self, proof: Result<Proof, String>) {
        let Some(Proving { deed, answer, .. }) = self.proving.take() else { return };
        let done = match proof {
            Ok(Proof { is_right: true, new }) => self.do_guarded(deed, new).await,
            Ok(Proof { is_right: false, .. }) => {
                let (outputs, said) = self.core.wrong_password(&deed, self.clock.now());
                self.follow(outputs).await;
                Err(said)
            }
            Err(reason) => Err(reason),
        };
        reply(answer, done);
    }

    async fn do_guarded(&mut self, deed: GuardDeed, new: Option<Hash>) -> Result<(), String> {
        let is_end = deed == GuardDeed::Quit;
        let (outputs, done) = self.core.do_guarded(deed, new, self.clock.now());
        self.follow(outputs).await;
        if is_end && done.is_ok() {
            let _ = self.signs.try_send(Sign::MayEnd);
        }
        done
    }

    async fn follow(&mut self, outputs: Vec<Output>) {
        self.dirty = true;
        self.carry_out(outputs).await;
    }
}

/// What came of the look; never without one.
pub(super) async fn proof(proving: &mut Option<Proving>) -> Result<Proof, String> {
    let Some(proving) = proving else { return std::future::pending().await };
    match (&mut proving.checking).await {
        Ok(Ok(proof)) => Ok(proof),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// Takes passwords and deed apart: the one that is set, the new one.
fn parts(act: GuardAct) -> (GuardDeed, Option<Password>, Option<Password>) {
    match act {
        GuardAct::Set { password } => (GuardDeed::Set, None, Some(password)),
        GuardAct::Change { password, new } => (GuardDeed::Change, Some(password), Some(new)),
        GuardAct::Remove { password } => (GuardDeed::Remove, Some(password), None),
        GuardAct::Forget => (GuardDeed::Forget, None, None),
        GuardAct::Keep => (GuardDeed::Keep, None, None),
        GuardAct::Override { password, key, reason } => {
            (GuardDeed::Override { key, reason }, Some(password), None)
        }
        GuardAct::Approve { password } => (GuardDeed::Approve, Some(password), None),
        GuardAct::Quit { password } => (GuardDeed::Quit, Some(password), None),
    }
}

/// A password that is needed and not given is a wrong one; a new one is hashed only behind a right one.
fn look(hash: Option<&Hash>, old: Option<&Password>, new: Option<&Password>) -> Result<Proof, PasswordError> {
    let is_right = match (hash, old) {
        (None, _) => true,
        (Some(hash), Some(old)) => hash.is_of(old)?,
        (Some(_), None) => false,
    };
    let new = new.filter(|_| is_right).map(Hash::of).transpose()?;
    Ok(Proof { is_right, new })
}

fn reply(answer: oneshot::Sender<Reply>, done: Result<(), String>) {
    let _ = answer.send(match done {
        Ok(()) => Reply::Accepted,
        Err(reason) => Reply::Refused { reason },
    });
}

fn refuse(answer: oneshot::Sender<Reply>, reason: String) {
    reply(answer, Err(reason));
}
