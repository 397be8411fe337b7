//! What viewers ask of the loop: answered at once, or beside it where that takes longer.

use domain::{Instrument, broker::CallId};
use tokio::sync::oneshot;
use views::{
    control::{Ask, DifferenceView, Reply, SettingEdit},
    settings::ContractView,
};

use super::{Loop, MOST_SEARCHES, Renewal};
use crate::{
    control::server::Petition,
    core::{Input, Session, Told},
    credentials::{self, Credentials, KeyringError},
    settings::{self, Errand, Guarded},
};

impl Loop {
    pub(super) async fn petition(&mut self, Petition { ask, answer }: Petition) {
        let reply = match ask {
            Ask::View | Ask::Watch => Reply::View { view: Box::new(self.view()) },
            Ask::Command { command } => match self.core.command(self.clock.now(), command) {
                Ok(outputs) => {
                    self.carry_out(outputs).await;
                    Reply::Accepted
                }
                Err(reason) => Reply::Refused { reason },
            },
            Ask::Log { .. } | Ask::History { .. } | Ask::Presets => {
                Reply::Refused { reason: "The log is read from the database: `riskctl log`.".to_string() }
            }
            Ask::ClockIn { account } => return self.clock_session(Session::Begin, account, answer),
            Ask::ClockOut { account } => return self.clock_session(Session::End, account, answer),
            Ask::Reconcile => match self.core.review(self.clock.now()) {
                Ok(outputs) => {
                    self.review = Some(answer);
                    return self.carry_out(outputs).await;
                }
                Err(reason) => Reply::Refused { reason },
            },
            Ask::Retry => {
                (self.broker.retry)();
                Reply::Accepted
            }
            Ask::TestNotification => {
                let at = self.clock.now();
                let (note, kind) = (views::text::note::test(at), "test".to_string());
                self.tell(Told { note, at, kind, account: None, suppressed: 0 });
                Reply::Accepted
            }
            Ask::CredentialsChanged => return self.renew(answer),
            Ask::CancelPending { account, key } => match self.core.undo(account.as_ref(), &key) {
                Ok(edits) => {
                    return self.watching.run(Errand::Save { edits, guarded: Guarded::default() }, answer);
                }
                Err(reason) => Reply::Refused { reason },
            },
            Ask::SaveSettings { edits } => {
                let errand = Errand::Save { edits: meant(edits), guarded: self.core.guarded() };
                return self.watching.run(errand, answer);
            }
            Ask::PreviewSettings { edits } => {
                let in_force = Box::new(self.core.in_force());
                return self.watching.run(Errand::Preview { edits: meant(edits), in_force }, answer);
            }
            Ask::Settings => return self.watching.run(Errand::Show, answer),
            Ask::LockSettings { until } => match self.core.lock_settings(until, self.clock.now()) {
                Ok(outputs) => {
                    self.dirty = true;
                    self.carry_out(outputs).await;
                    Reply::Accepted
                }
                Err(reason) => Reply::Refused { reason },
            },
            Ask::SearchContracts { text } => return self.search(text, answer).await,
            Ask::Guard { act } => return self.guard(act, answer).await,
        };
        let _ = answer.send(reply);
    }

    pub(super) fn reviewed(&mut self, result: Result<Vec<DifferenceView>, String>) {
        let Some(answer) = self.review.take() else { return };
        let _ = answer.send(match result {
            Ok(differences) => Reply::Reconciled { differences },
            Err(reason) => Reply::Refused { reason },
        });
    }

    /// Asks the broker; its reply answers.
    async fn search(&mut self, text: String, answer: oneshot::Sender<Reply>) {
        self.searches.retain(|_, waits| !waits.is_closed());
        let asked = match self.searches.len() {
            MOST_SEARCHES.. => Err("Other searches are under way. Try again in a moment.".to_string()),
            _ => self.core.search(text),
        };
        match asked {
            Ok((call, outputs)) => {
                self.searches.insert(call, answer);
                self.carry_out(outputs).await;
            }
            Err(reason) => {
                let _ = answer.send(Reply::Refused { reason });
            }
        }
    }

    pub(super) fn found(&mut self, search: CallId, found: Result<Vec<Instrument>, String>) {
        let Some(answer) = self.searches.remove(&search) else { return };
        let _ = answer.send(match found {
            Ok(found) => Reply::Contracts { contracts: found.into_iter().map(contract).collect() },
            Err(reason) => {
                Reply::Refused { reason: format!("The contracts could not be searched: {reason}.") }
            }
        });
    }

    /// Writes a personal session, beside the loop: it concerns no rule.
    fn clock_session(
        &mut self,
        session: Session,
        account: Option<domain::AccountId>,
        answer: oneshot::Sender<Reply>,
    ) {
        let records = match self.core.session(session, account.as_ref(), self.clock.now()) {
            Ok(records) => records,
            Err(reason) => {
                let _ = answer.send(Reply::Refused { reason });
                return;
            }
        };
        let written = self.disk.write(records);
        tokio::spawn(async move {
            let reply = match written.await {
                Ok(()) => Reply::Accepted,
                Err(_) => Reply::Refused { reason: "It could not be written: see the log.".to_string() },
            };
            let _ = answer.send(reply);
        });
    }

    /// Reads the login anew, beside the loop.
    fn renew(&mut self, answer: oneshot::Sender<Reply>) {
        if self.renewal.is_some() {
            let reason = "The keyring is being read already.".to_string();
            let _ = answer.send(Reply::Refused { reason });
            return;
        }
        self.renewal = Some(Renewal { reading: tokio::task::spawn_blocking(credentials::load), answer });
    }

    /// Uses a login that was read anew.
    pub(super) async fn renewed(&mut self, found: Result<Option<Credentials>, KeyringError>) {
        let Some(Renewal { answer, .. }) = self.renewal.take() else { return };
        let done = match found {
            Ok(Some(login)) => match self.log_in(login) {
                Ok(()) => {
                    self.feed(Input::Credentials(Ok(true)), None).await;
                    Ok(())
                }
                Err(reason) => Err(reason),
            },
            Ok(None) => {
                self.feed(Input::Credentials(Ok(false)), None).await;
                Err("There is no login in the keyring.".to_string())
            }
            Err(error) => {
                // A session that stands needs no keyring.
                if self.connect.is_some() {
                    self.feed(Input::Credentials(Err(error.doubt())), None).await;
                }
                Err(error.to_string())
            }
        };
        let _ = answer.send(match done {
            Ok(()) => Reply::Accepted,
            Err(reason) => Reply::Refused { reason },
        });
    }

    fn log_in(&mut self, login: Credentials) -> Result<(), String> {
        match self.connect.take() {
            None => (self.broker.renew)(login),
            Some(connect) => match connect(login) {
                Ok(broker) => self.broker = broker,
                Err(reason) => {
                    self.connect = Some(connect);
                    return Err(reason);
                }
            },
        }
        Ok(())
    }
}

fn meant(edits: Vec<SettingEdit>) -> Vec<config::Edit> {
    edits.into_iter().map(settings::edit).collect()
}

fn contract(found: Instrument) -> ContractView {
    let Instrument { contract: _, symbol, name, tick_size, tick_value, active } = found;
    ContractView { symbol, name, tick_size, tick_value, active }
}
