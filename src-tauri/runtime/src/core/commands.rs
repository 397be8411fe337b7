//! What people ask for: whether it makes sense now, and if not, why, in their words. "Accepted" is only said of
//! what will be done. Decides nothing about the market.

use chrono::TimeDelta;
use domain::{AccountId, Command, Event, Instant};
use store::Record;

use super::{Core, Output};

/// The longest lock that can be asked for: what cannot be taken back must not be a slip of the keyboard,
/// and a time beyond every calendar could not even be shown.
pub(super) const LONGEST_LOCK: TimeDelta = TimeDelta::days(366);

/// What a trader does with a personal session (specification C.22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// Clocks in.
    Begin,
    /// Clocks out.
    End,
}

impl Core {
    /// What is to be written when the trader clocks in or out, on one account or on all.
    ///
    /// # Errors
    /// There is no such account, or none is known yet.
    pub fn session(
        &self,
        session: Session,
        account: Option<&AccountId>,
        now: Instant,
    ) -> Result<Vec<Record>, String> {
        self.meant(account)?;
        let at = self.engine.now().max(now);
        let meant = self.engine.accounts().filter(|it| account.is_none_or(|id| id == it.id()));
        let records = meant.map(|it| {
            let (account, ledger) = (it.id().clone(), it.ledger());
            let (realized, trades) = (ledger.realized(true), ledger.trades());
            match session {
                Session::Begin => Record::ClockIn { account, realized, trades, at },
                Session::End => Record::ClockOut { account, realized, trades, at },
            }
        });
        Ok(records.collect())
    }

    /// Takes a person's command.
    ///
    /// # Errors
    /// Why it can't be carried out, in the words of people.
    pub fn command(&mut self, now: Instant, command: Command) -> Result<Vec<Output>, String> {
        self.may(&command)?;
        self.step(now, Event::Command(command));
        self.pursue(now);
        Ok(self.take_outputs())
    }

    /// Whether a command makes sense now.
    fn may(&self, command: &Command) -> Result<(), String> {
        let whose = match command {
            Command::Flatten { account }
            | Command::CancelAll { account }
            | Command::LockOut { account, .. } => account.as_ref(),
            Command::Override { key, .. } => Some(&key.account),
        };
        if self.setting.is_dry_run() {
            return Err(
                "This is a dry run: nothing is sent. Stop it and start without --dry-run.".to_string()
            );
        }
        self.meant(whose)?;
        let mut meant = self.engine.accounts().filter(|it| whose.is_none_or(|id| id == it.id()));
        match command {
            Command::Flatten { .. } | Command::CancelAll { .. } if !self.links.logged_in => Err(format!(
                "Cannot be sent without a connection. Close in {} or call the trade desk.",
                self.setting.broker
            )),
            Command::CancelAll { .. } if meant.any(|account| !account.is_known()) => {
                Err("The working orders are not known yet. Try again in a moment, or flatten.".to_string())
            }
            Command::LockOut { until: Some(until), .. } if *until <= self.engine.now() => {
                Err("The lock would end in the past. Choose a later time.".to_string())
            }
            Command::LockOut { until: Some(until), .. } if *until > self.engine.now() + LONGEST_LOCK => {
                Err(format!("A lock lasts {} days at most. Choose an earlier time.", LONGEST_LOCK.num_days()))
            }
            Command::Override { .. } => Err(
                "A lockout can only be overridden with the guard password. See `riskctl lockouts override`."
                    .to_string(),
            ),
            Command::Flatten { .. } | Command::CancelAll { .. } | Command::LockOut { .. } => Ok(()),
        }
    }

    /// Whether an account is meant that is here; without one, whether there is any.
    pub(super) fn meant(&self, account: Option<&AccountId>) -> Result<(), String> {
        if let Some(account) = account.filter(|account| self.engine.account(account).is_none()) {
            return Err(format!("There is no account {account} here. See `riskctl status`."));
        }
        if self.engine.accounts().next().is_none() {
            return Err(format!(
                "No account of {} is known yet. Try again once it is connected.",
                self.setting.broker
            ));
        }
        Ok(())
    }
}
