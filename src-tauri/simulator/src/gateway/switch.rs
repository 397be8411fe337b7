//! Switching faults on and off.

use chrono::TimeDelta;
use domain::Instant;

use super::{
    Fault, FaultError, Gateway, Hub,
    faults::{Faults, Mishap},
};

impl Gateway {
    /// Sets a fault.
    ///
    /// # Errors
    /// [`FaultError`]; nothing was changed then.
    pub fn set_fault(&mut self, now: Instant, fault: Fault) -> Result<(), FaultError> {
        self.run_until(now);
        fault.check()?;
        let ms = |ms: u32| TimeDelta::milliseconds(ms.into());
        match fault {
            Fault::HttpStatus { path, status, times, after } => {
                self.faults.on_path(path, times, Mishap::Status { status, after })?;
            }
            Fault::HttpLatency { path, ms: late, times } => {
                self.faults.on_path(path, times, Mishap::Latency(ms(late)))?;
            }
            Fault::ApiError { path, code, message, times } => {
                self.faults.on_path(path, times, Mishap::Api { code, message })?;
            }
            Fault::DropHub { hub, how } => self.drop_hub(hub, how),
            Fault::HubSilence { hub, ms: silent } => {
                let until = self.now + ms(silent);
                hub.hubs().iter().for_each(|hub| self.silence_hub(*hub, until));
            }
            Fault::ExpireTokens {} => self.auth.end_all(self.now),
            Fault::DuplicateEvents { times } => self.faults.duplicate = times,
            Fault::LoseEvents { times } => self.faults.lose = times,
            Fault::ReorderEvents { times } => self.faults.reorder = times,
            Fault::PartialFills { on } => self.faults.partial_fills = on,
            Fault::MarketClosed { on } => self.faults.market_closed = on,
            Fault::RateLimit { on, retry_after } => {
                (self.faults.rate_limit, self.faults.retry_after) = (Some(on), retry_after);
            }
            Fault::LoginError { code } => self.faults.login_error = Some(code),
            Fault::ClockSkew { seconds } => self.faults.clock_skew = TimeDelta::seconds(seconds.into()),
            Fault::FillLatency { ms: late } => self.faults.fill_latency = Some(ms(late)),
            Fault::FlipAsUpdate { on } => self.faults.flip_as_update = on,
            Fault::VoidTrade { trade_id } => {
                return self.void_trade(trade_id).then_some(()).ok_or(FaultError::UnknownTrade(trade_id));
            }
            Fault::MalformedEvent { text } => self.push_raw(&text),
            Fault::CanTrade { account_id, value } => {
                let account = self.fault_account(account_id)?;
                self.set_standing(account, value, self.accounts[account].simulated);
            }
            Fault::LiveAccount { account_id, value } => {
                let account = self.fault_account(account_id)?;
                self.set_standing(account, self.accounts[account].can_trade, !value);
            }
            Fault::FollowerAccount { account_id, value } => {
                let account = self.fault_account(account_id)?;
                self.accounts[account].follower = value;
            }
        }
        Ok(())
    }

    /// Clears all faults: hubs speak, accounts are as in the settings, what waited goes out. Tokens that
    /// were expired stay expired and voided trades stay voided.
    pub fn clear_faults(&mut self, now: Instant) {
        self.run_until(now);
        self.faults = Faults::default();
        self.release_held();
        for hub in [Hub::User, Hub::Market] {
            if self.hubs.is_silent(hub) {
                self.hubs.silence(hub, self.now);
                self.end_silence(hub);
            }
        }
        for account in 0..self.accounts.len() {
            self.accounts[account].follower = false;
            self.set_standing(account, true, self.accounts[account].settings.simulated);
        }
    }

    /// Changes what the account event shows, and sends it if it changed.
    fn set_standing(&mut self, account: usize, can_trade: bool, simulated: bool) {
        let row = &mut self.accounts[account];
        if (row.can_trade, row.simulated) != (can_trade, simulated) {
            (row.can_trade, row.simulated) = (can_trade, simulated);
            self.tell_account(account);
        }
    }

    fn fault_account(&self, id: i64) -> Result<usize, FaultError> {
        self.account_index(id).ok_or(FaultError::UnknownAccount(id))
    }
}
