//! Starting rulebooks for viewers: the data of `config` with the words of people. Reads a file; saves nothing.

use std::path::Path;

use config::{Preset, PresetRule, Unit};
use domain::Usd;
use views::{
    control::SettingEdit,
    presets::{PresetLine, PresetView, PresetsView},
    text::{money, words},
};

/// The presets of a folder of settings, or the shipped ones.
///
/// # Errors
/// The folder's own file makes no sense, or names a setting that there is not: one sentence for people.
pub fn read(dir: &Path) -> Result<PresetsView, String> {
    let found = config::presets(dir)?;
    let presets = found.presets.into_iter().map(preset).collect::<Result<_, _>>()?;
    Ok(PresetsView { source: found.source, date: found.date, presets })
}

fn preset(preset: Preset) -> Result<PresetView, String> {
    let lines = preset.rules.iter().map(line).collect::<Result<_, _>>()?;
    let edit = |rule: PresetRule| SettingEdit { account: None, key: rule.key, value: Some(rule.value) };
    let edits = preset.rules.into_iter().map(edit).collect();
    Ok(PresetView { size: preset.size, firm: preset.firm, lines, edits })
}

fn line(rule: &PresetRule) -> Result<PresetLine, String> {
    let known = config::describe().into_iter().flat_map(|group| group.keys).find(|key| key.key == rule.key);
    let known = known.ok_or_else(|| format!("{}: there is no setting {}", config::PRESETS_FILE, rule.key))?;
    let title = known.rule.map_or(known.title, words::title).to_owned();
    let amount = rule.value.parse().map(Usd);
    let value = match (known.unit, amount) {
        (Unit::Dollars, Ok(amount)) => money::signed(amount),
        _ => rule.value.clone(),
    };
    Ok(PresetLine { title, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_in_the_words_of_people() {
        let home = tempfile::tempdir().unwrap();
        let told = read(home.path()).unwrap();
        let lines: Vec<_> =
            told.presets[0].lines.iter().map(|it| format!("{} {}", it.title, it.value)).collect();
        assert_eq!(lines[0], "Daily Loss Limit −$500.00");
        assert_eq!(lines.len(), told.presets[0].edits.len());
        let own = "source: mine\ndate: 2026-01-02\npresets:\n- size: 25K\n  firm: none\n  rules:\n  - {key: rules.x, value: 1}\n";
        std::fs::write(home.path().join(config::PRESETS_FILE), own).unwrap();
        assert_eq!(read(home.path()).unwrap_err(), "presets.yaml: there is no setting rules.x");
    }
}
