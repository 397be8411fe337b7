//! Changes of the settings as people read them; files and records name them by their keys.

use config::{KeyInfo, Pending};
use domain::RuleMode;
use views::text::note::Changed;

use super::Core;

impl Core {
    pub(super) fn changed(&self, changes: &[Pending]) -> Vec<Changed> {
        let keys: Vec<KeyInfo> = config::describe().into_iter().flat_map(|group| group.keys).collect();
        changes.iter().map(|change| self.changed_one(change, &keys)).collect()
    }

    fn changed_one(&self, change: &Pending, keys: &[KeyInfo]) -> Changed {
        let (from, to) = change.shown();
        let (group, key) = change.key.rsplit_once('.').unwrap_or(("", &change.key));
        let each = format!("{group}.<symbol>");
        let known = keys.iter().find(|info| info.key == change.key || info.key == each);
        let of_symbol = known.is_some_and(|info| info.key == each);
        let title = match known {
            Some(info) if !of_symbol => info.title.to_string(),
            Some(_) => key.to_string(),
            None => name_of(&change.key).to_string(),
        };
        let acts = !self.setting.is_dry_run();
        let rules = self.accepted();
        let rules = change.account.as_ref().map_or(&rules.base, |account| rules.of(account));
        Changed {
            account: change.account.as_ref().map(|account| self.called(account)),
            rule: change.rule,
            key: key.to_string(),
            title,
            is_money: known.is_some_and(|info| info.kind == "money"),
            is_enforced: acts
                && change.rule.is_some_and(|rule| rules.stance(rule) == (true, RuleMode::Enforce)),
            from,
            to,
        }
    }
}

/// What has no title of its own because it is several keys.
fn name_of(key: &str) -> &str {
    match key {
        "daily_reset" => "Daily reset",
        "daily_reset.unlock" => "Locks that the daily reset ends",
        "holidays.dates" => "Holidays",
        "holidays.early_close" => "Early closes",
        "accounts" => "Watched accounts",
        key if key.starts_with("rules.") => "",
        key => key,
    }
}
