//! The settings files, and what is asked of them.

use runtime::{
    core::{BackupPlan, GuardDeed},
    password::Hash,
};

use super::*;

impl World {
    /// The settings files changed, and the engine saw it.
    pub fn change_rules(&mut self, rulebook: Rulebook) {
        self.write_rules(rulebook);
        self.read_rules();
    }

    /// The settings files ask for other notifications.
    pub fn change_desktop(&mut self, desktop: DesktopView) {
        self.files.iter_mut().for_each(|files| files.desktop = desktop);
        self.read_rules();
    }

    /// The settings files ask for other announcements.
    pub fn change_announced(&mut self, announced: Announced) {
        self.files.iter_mut().for_each(|files| files.announced = announced);
        self.read_rules();
    }

    /// The settings files ask for other backups.
    pub fn change_backups(&mut self, backups: BackupPlan) {
        self.files.iter_mut().for_each(|files| files.backups = backups);
        self.read_rules();
    }

    /// The settings files changed where only a start reads them.
    pub fn change_later(&mut self, what: &'static str) {
        self.files.iter_mut().for_each(|files| files.later = vec![what]);
        self.read_rules();
    }

    /// The settings files name an account.
    pub fn call_account(&mut self, account: i64, name: &str) {
        let names = [(account.into(), name.to_string())];
        self.files.iter_mut().for_each(|files| files.names = names.clone().into());
        self.read_rules();
    }

    /// The settings files changed.
    pub fn write_rules(&mut self, rulebook: Rulebook) {
        let hash = format!("{rulebook:?}");
        let files = Files {
            rulebook,
            api: config::Api::default(),
            hash,
            origin: ConfigOrigin::File,
            instruments: BTreeSet::new(),
            desktop: DesktopView::default(),
            announced: Announced::default(),
            backups: BackupPlan::default(),
            zone: domain::calendar::CENTRAL,
            names: std::collections::BTreeMap::new(),
            later: Vec::new(),
        };
        self.files = Some(files);
    }

    pub(super) fn read_rules(&mut self) {
        if let Some(files) = self.files.clone() {
            self.handle(Input::Files(Box::new(files)));
        }
    }

    /// Takes only stricter changes of the settings until then.
    pub fn lock_settings(&mut self, until: Option<Instant>) -> Result<(), String> {
        let outputs = self.core.lock_settings(until, self.now)?;
        self.carry(outputs);
        Ok(())
    }

    /// What somebody does about the guard password, having given the right one; `new` is the one to keep.
    pub fn guard(&mut self, deed: GuardDeed, new: Option<Hash>) -> Result<(), String> {
        let (outputs, done) = self.core.do_guarded(deed, new, self.now);
        self.carry(outputs);
        done
    }

    /// The same with a wrong password.
    pub fn guess(&mut self, deed: &GuardDeed) -> String {
        if let Err(reason) = self.core.may_guard(deed, self.now) {
            return reason;
        }
        let (outputs, said) = self.core.wrong_password(deed, self.now);
        self.carry(outputs);
        said
    }
}
