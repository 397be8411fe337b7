//! Starting rulebooks by account size: data with a source and a date (`data/presets.yaml`). Proposes;
//! nothing of it is in force before it was saved as a change of the settings.

use std::{fs, io::ErrorKind, path::Path};

use chrono::NaiveDate;
use serde::Deserialize;

/// Name of the file in the folder of the settings that takes the place of the shipped one.
pub const FILE: &str = "presets.yaml";

/// Starting rulebooks, and where their figures come from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presets {
    /// Where the figures come from.
    pub source: String,
    /// When they were taken.
    pub date: NaiveDate,
    /// One for each size of account.
    pub presets: Vec<Preset>,
}

/// A starting rulebook.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Size of the account as the firm names it: `50K`.
    pub size: String,
    /// The firm's own limits for that size, in words.
    pub firm: String,
    /// What is proposed.
    pub rules: Vec<PresetRule>,
}

/// One setting of a starting rulebook.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresetRule {
    /// Dotted path as in `risk.yaml`.
    pub key: String,
    /// As one would write it into the file.
    pub value: String,
}

/// The presets of a folder of settings; the shipped ones where it has none of its own.
///
/// # Errors
/// Its own file cannot be read or makes no sense: one sentence for people.
pub fn presets(dir: &Path) -> Result<Presets, String> {
    let path = dir.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => include_str!("../data/presets.yaml").to_owned(),
        Err(error) => return Err(format!("{} cannot be read: {error}", path.display())),
    };
    serde_saphyr::from_str(&text).map_err(|error| format!("{FILE} makes no sense: {error}"))
}

#[cfg(test)]
mod tests {
    use domain::RuleKey;
    use serde_json::Value as Json;

    use super::*;
    use crate::edit::{Edit, preview};

    /// What is proposed can be saved as it stands, and is not looser than what the firm allows.
    #[test]
    fn every_shipped_preset_passes_the_check() {
        let home = tempfile::tempdir().unwrap();
        let shipped = presets(home.path()).unwrap();
        assert_eq!(
            shipped.presets.iter().map(|it| it.size.as_str()).collect::<Vec<_>>(),
            ["50K", "100K", "150K"]
        );
        for preset in shipped.presets {
            let edits: Vec<Edit> = preset
                .rules
                .into_iter()
                .map(|rule| Edit { account: None, key: rule.key, value: Some(Json::String(rule.value)) })
                .collect();
            let loaded = preview(home.path(), &edits, &|_| None, &RuleKey::RULES).unwrap();
            let day = loaded.rulebook.base.daily_realized_loss.settings.limit;
            let position = loaded.rulebook.base.daily_unrealized_loss.settings.limit;
            assert!(day < position, "{}: one position can end the day", preset.size);
        }
    }

    #[test]
    fn a_file_of_ones_own_takes_their_place_and_says_where_it_is_wrong() {
        let home = tempfile::tempdir().unwrap();
        let own = "source: mine\ndate: 2026-01-02\npresets:\n- {size: 25K, firm: none, rules: []}\n";
        fs::write(home.path().join(FILE), own).unwrap();
        assert_eq!(presets(home.path()).unwrap().presets[0].size, "25K");
        fs::write(home.path().join(FILE), own.replace("size", "sise")).unwrap();
        let error = presets(home.path()).unwrap_err();
        assert!(error.starts_with("presets.yaml makes no sense") && error.contains("sise"), "{error}");
    }
}
