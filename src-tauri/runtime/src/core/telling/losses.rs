//! A lost protection: told once it has lasted a moment, again for another reason, and when it is back.

use domain::{AccountId, Instant, Part, Trouble};
use views::{
    text::{Doubt, note},
    view::Protection,
};

use super::{super::Core, About, SAME_TEXT, TELL_LOSS_AFTER};

impl Core {
    pub(in crate::core) fn protection_changed(&mut self, before: Protection, now: Instant) {
        let after = self.guard.protection;
        if after == Protection::NotProtected {
            let cause = self.guard.reasons.first().map_or(Doubt::Starting, |(doubt, _)| doubt.clone());
            tracing::warn!(target: "daemon", "not protected: {}", cause.text(&self.setting.broker));
            self.guard.lost = Some((cause, now));
            self.teller.loss_due = Some(now + TELL_LOSS_AFTER);
            self.teller.doubted = self.untold().map(|(doubt, account)| (doubt.kind(), account.clone()));
        } else if before == Protection::NotProtected {
            tracing::info!(target: "daemon", "protected: {after:?}");
            (self.teller.loss_due, self.teller.doubted) = (None, None);
            let lost = self.guard.lost.take();
            if let (Some((doubt, since)), Some(_)) = (lost, self.teller.loss_told.take()) {
                let note = self.with_scene(None, now, |scene| {
                    note::protected_again(&doubt, after, now - since, now, scene)
                });
                self.tell(note, About::all("protected"), now);
            }
        }
    }

    /// Protection stays lost, perhaps for another reason than people know of: that is told like a loss, at most
    /// once a minute.
    pub(in crate::core) fn doubts_changed(&mut self, now: Instant) {
        let Some((doubt, account)) = self.untold() else {
            (self.teller.loss_due, self.teller.doubted) = (None, None);
            return;
        };
        let news = Some((doubt.kind(), account.clone()));
        // What only takes its time ends as protection, or as a doubt of its own.
        if matches!(doubt, Doubt::Starting | Doubt::Reading) || self.teller.doubted == news {
            return;
        }
        self.teller.doubted = news;
        let again = self.teller.loss_told.map_or(now, |told| told + SAME_TEXT);
        self.teller.loss_due.get_or_insert(again.max(now + TELL_LOSS_AFTER));
    }

    /// The first doubt that nobody else tells of.
    fn untold(&self) -> Option<&(Doubt, Option<AccountId>)> {
        self.guard.reasons.iter().find(|(doubt, _)| !self.is_told_by_rule(doubt))
    }

    pub(super) fn tell_loss(&mut self, now: Instant) {
        let Some((doubt, account)) = self.untold().cloned() else { return };
        let Some((_, since)) = self.guard.lost.clone() else { return };
        self.guard.lost = Some((doubt.clone(), since));
        self.teller.loss_told = Some(now);
        self.teller.doubted = Some((doubt.kind(), account.clone()));
        let since = self.guard.begun.of(&doubt, account.as_ref()).unwrap_or(since);
        let note = self.with_scene(None, now, |scene| note::not_protected(&doubt, since, scene));
        self.tell(note, About::all("not_protected"), now);
    }

    /// Whether RULE-010 tells of what protection was lost for, in its own words and at its own pace.
    fn is_told_by_rule(&self, doubt: &Doubt) -> bool {
        let part = |part| Trouble::ConnectionLost { part, why: String::new() };
        let trouble = match doubt {
            Doubt::UserStream => part(Part::UserStream),
            Doubt::MarketStream => part(Part::MarketStream),
            Doubt::Unreachable { .. } => part(Part::Session),
            Doubt::Login { .. } => Trouble::AuthFailed { why: String::new() },
            // The self-check tells of it itself.
            Doubt::Barred { .. } => return true,
            Doubt::Starting
            | Doubt::NoCredentials
            | Doubt::Keyring(_)
            | Doubt::Reading
            | Doubt::Reconcile { .. }
            | Doubt::Disk { .. }
            | Doubt::Clock { .. }
            | Doubt::Config { .. }
            | Doubt::Rule { .. }
            | Doubt::DryRun
            | Doubt::NoAccounts
            | Doubt::EngineLost => return false,
        };
        self.engine.tells_of(&trouble)
    }
}
