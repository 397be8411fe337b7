//! The status never claims more than is true: nobody counts as protected without a session, without both
//! streams, or before everything was read since the last doubt (design invariant 9). And it claims it again
//! once there is no reason for doubt. The engine's time never runs ahead of the broker's.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{AccountId, Instant, Link};
use projectx::hub::Which;
use views::view::Protection;

use super::{ANSWERED_WITHIN, Law, RECOVERED_WITHIN, Scene};
use crate::happening::Happening;

/// The broker's time comes in whole seconds.
const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(3);

/// The law.
#[derive(Debug, Default)]
pub(super) struct Status {
    logged_in: bool,
    /// Accounts that were read since the user stream last came up.
    read: BTreeSet<AccountId>,
    unprotected_since: Option<Instant>,
}

impl Law for Status {
    fn name(&self) -> &'static str {
        "the status is true"
    }

    fn watch(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        for happening in scene.happened {
            match happening {
                Happening::Began => *self = Self::default(),
                Happening::Link(link) => self.linked(link),
                Happening::Read(account) => {
                    self.read.insert(account.clone());
                }
                Happening::Ended
                | Happening::Replied(_)
                | Happening::Asked(_)
                | Happening::Decided(_)
                | Happening::Kept(_)
                | Happening::Told
                | Happening::Starved
                | Happening::Arrived(_)
                | Happening::Filled { .. } => {}
            }
        }
        self.is_true(scene)?;
        self.comes_back(scene)?;
        is_time_right(scene)
    }
}

impl Status {
    fn linked(&mut self, link: &Link) {
        match link {
            Link::UserUp | Link::UserDown { .. } => self.read.clear(),
            Link::LoggedIn => self.logged_in = true,
            Link::LoginFailed { .. } | Link::LoginRefused { .. } => self.logged_in = false,
            Link::MarketUp | Link::MarketDown { .. } => {}
        }
    }

    fn is_true(&self, scene: &Scene<'_>) -> Result<(), String> {
        let Some(process) = scene.process else { return Ok(()) };
        let claims = process.core.protection() != Protection::NotProtected;
        let reason = if !self.logged_in {
            "without a session"
        } else if !process.is_up(Which::User) {
            "without the user stream"
        } else if !process.is_up(Which::Market) {
            "without the market stream"
        } else if scene.sight.accounts.iter().any(|seen| !self.read.contains(&seen.id)) {
            "before everything was read"
        } else {
            return Ok(());
        };
        if claims { Err(format!("{:?} {reason}", process.core.protection())) } else { Ok(()) }
    }

    /// Not being protected is no state to stay in.
    fn comes_back(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let Some(process) = scene.process else {
            self.unprotected_since = None;
            return Ok(());
        };
        if process.core.protection() != Protection::NotProtected {
            self.unprotected_since = None;
            return Ok(());
        }
        let since = *self.unprotected_since.get_or_insert(scene.now);
        // A doubt may begin at any time, but with nothing the matter it is answered by one reading.
        let quiet_since = scene.answering.quiet_since.max(scene.answering.undoubted_since);
        let due = since.max(quiet_since + RECOVERED_WITHIN) + ANSWERED_WITHIN * 3;
        let is_quiet = !scene.answering.is_troubled && !scene.answering.is_doubted;
        if is_quiet && scene.now > due {
            let view = process.core.view(scene.engine_time.unwrap_or(scene.now));
            return Err(format!("not protected since {since} without trouble: {:?}", view.reason));
        }
        Ok(())
    }
}

/// An engine that runs ahead frees somebody early.
fn is_time_right(scene: &Scene<'_>) -> Result<(), String> {
    let (Some(process), Some(time)) = (scene.process, scene.engine_time) else { return Ok(()) };
    if !process.is_time_trusted() {
        return Ok(());
    }
    let ahead = time - scene.now;
    if ahead > CLOCK_SLACK { Err(format!("the engine's time is {ahead} ahead")) } else { Ok(()) }
}
