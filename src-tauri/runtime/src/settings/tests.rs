use std::time::Duration;

use domain::Contracts;
use serde_json::json;
use tokio::time::timeout;
use views::settings::{ChangeEffect, SettingOrigin, SettingsPreview, SettingsView};

use super::*;

const RULES: &str = "rules:\n  max_contracts: {limit: 5} # five\n";
const LIMIT: &str = "rules.max_contracts.limit";

/// Whose, which, and how it would be written.
type Wish<'a> = (Option<&'a str>, &'a str, &'a str);

fn watching(home: &Path) -> Watching {
    fs::write(home.join("risk.yaml"), RULES).unwrap();
    Settings::watch(home, Some(load(home).unwrap())).serve()
}

async fn run(watching: &Watching, errand: Errand) -> Reply {
    let (answer, reply) = oneshot::channel();
    watching.run(errand, answer);
    timeout(Duration::from_secs(10), reply).await.unwrap().unwrap()
}

fn edits(wishes: &[Wish<'_>]) -> Vec<Edit> {
    let edits = wishes.iter().map(|(account, key, value)| SettingEdit {
        account: account.map(Into::into),
        key: (*key).to_string(),
        value: Some((*value).to_string()),
    });
    edits.map(edit).collect()
}

async fn ask(watching: &Watching, limit: &str, locked: &[&str]) -> Reply {
    let guarded = Guarded {
        accounts: locked.iter().map(|id| ((*id).into(), (*id).to_string())).collect(),
        sealed: None,
    };
    run(watching, Errand::Save { edits: edits(&[(None, LIMIT, limit)]), guarded }).await
}

/// With the rules of the files in force, on a day that ends at 23:00 UTC.
async fn previewed(
    home: &Path,
    watching: &Watching,
    guarded: Guarded,
    wishes: &[Wish<'_>],
) -> SettingsPreview {
    let (rulebook, loosens_at) = (load(home).unwrap().rulebook, Some(at("2026-03-02T23:00:00Z")));
    let in_force = Box::new(InForce { rulebook, loosens_at, guarded });
    let reply = run(watching, Errand::Preview { edits: edits(wishes), in_force }).await;
    let Reply::Preview { preview } = reply else { panic!("{reply:?}") };
    *preview
}

async fn shown(watching: &Watching) -> SettingsView {
    let reply = run(watching, Errand::Show).await;
    let Reply::Settings { settings } = reply else { panic!("{reply:?}") };
    *settings
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// The next rules that the loop is told.
async fn limit_told(watching: &mut Watching) -> Contracts {
    loop {
        let news = timeout(Duration::from_secs(10), watching.news.recv()).await.unwrap().unwrap();
        if let Input::Files(files) = news {
            return files.rulebook.base.max_contracts.settings.limit;
        }
    }
}

#[tokio::test]
async fn a_saved_change_is_written_and_told_to_the_loop() {
    let home = tempfile::tempdir().unwrap();
    let mut watching = watching(home.path());
    assert_eq!(ask(&watching, "8", &[]).await, Reply::Accepted);
    assert_eq!(limit_told(&mut watching).await, Contracts(8));
    let file = fs::read_to_string(home.path().join("risk.yaml")).unwrap();
    assert_eq!(file, RULES.replace('5', "8"));
    let refused = ask(&watching, "0", &[]).await;
    assert!(matches!(refused, Reply::Refused { reason } if reason.contains("max_contracts.limit")));
}

#[tokio::test]
async fn while_locked_a_looser_change_is_not_even_written_and_a_stricter_one_is() {
    let home = tempfile::tempdir().unwrap();
    let mut watching = watching(home.path());
    let Reply::Refused { reason } = ask(&watching, "8", &["7"]).await else { panic!("not refused") };
    assert!(reason.starts_with("Account 7 is locked"), "{reason}");
    assert_eq!(fs::read_to_string(home.path().join("risk.yaml")).unwrap(), RULES);
    assert_eq!(ask(&watching, "3", &["7"]).await, Reply::Accepted);
    assert_eq!(limit_told(&mut watching).await, Contracts(3));
}

#[tokio::test]
async fn a_change_between_the_start_and_the_first_look_is_seen() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("risk.yaml"), RULES).unwrap();
    let loaded = load(home.path()).unwrap();
    fs::write(home.path().join("risk.yaml"), RULES.replace('5', "2")).unwrap();
    let mut watching = Settings::watch(home.path(), Some(loaded)).serve();
    assert_eq!(limit_told(&mut watching).await, Contracts(2));
}

#[test]
fn what_the_desktop_is_told_comes_from_the_files() {
    let home = tempfile::tempdir().unwrap();
    let told = || files(&load(home.path()).unwrap()).desktop;
    assert_eq!(told(), DesktopView { enabled: true, min_severity: Severity::Info });
    let quieter = "general: {notifications: {desktop: {enabled: false, min_severity: CRITICAL}}}\n";
    fs::write(home.path().join("risk.yaml"), quieter).unwrap();
    assert_eq!(told(), DesktopView { enabled: false, min_severity: Severity::Critical });
}

/// Whom to watch is settled at the start; watching fewer protects less and waits for the next trading day.
#[tokio::test]
async fn another_list_of_accounts_says_when_it_counts() {
    let home = tempfile::tempdir().unwrap();
    let watching = watching(home.path());
    let watched = "accounts[].enabled";
    let wishes = [(Some("1"), watched, "true"), (Some("2"), watched, "false")];
    let preview = previewed(home.path(), &watching, Guarded::default(), &wishes).await;
    let seen = |preview: &SettingsPreview| -> Vec<(String, ChangeEffect)> {
        preview.changes.iter().map(|it| (it.key.clone(), it.effect)).collect()
    };
    assert_eq!(seen(&preview), [("accounts".to_string(), ChangeEffect::Later)]);
    assert!(!home.path().join("accounts.yaml").exists(), "nothing is written");

    fs::write(home.path().join("accounts.yaml"), "accounts: [{id: 1}]\n").unwrap();
    let preview =
        previewed(home.path(), &watching, Guarded::default(), &[(Some("2"), watched, "true")]).await;
    assert_eq!(preview.faults, vec![]);
    assert_eq!(seen(&preview), [("accounts".to_string(), ChangeEffect::Restart)]);
}

#[test]
fn what_is_announced_comes_from_the_files() {
    let home = tempfile::tempdir().unwrap();
    let announced = || files(&load(home.path()).unwrap()).announced;
    assert_eq!(announced(), Announced { unlocks: true, clocks: true });
    for (text, expected) in [
        ("auto_unlock: {notify: false}\n", Announced { unlocks: false, clocks: true }),
        ("dst: {notify: false}\n", Announced { unlocks: true, clocks: false }),
    ] {
        fs::write(home.path().join("timers.yaml"), text).unwrap();
        assert_eq!(announced(), expected);
    }
}

#[test]
fn which_backups_are_taken_comes_from_the_files() {
    let home = tempfile::tempdir().unwrap();
    let backups = || files(&load(home.path()).unwrap()).backups;
    let every = chrono::TimeDelta::hours;
    assert_eq!(backups(), BackupPlan { enabled: true, every: every(24), most: 7 });
    let text = "general: {database: {backup_enabled: false, backup_interval_hours: 6, max_backups: 30}}\n";
    fs::write(home.path().join("risk.yaml"), text).unwrap();
    assert_eq!(backups(), BackupPlan { enabled: false, every: every(6), most: 30 });
}

#[tokio::test]
async fn a_preview_says_what_applies_now_and_what_later_and_writes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let watching = watching(home.path());
    let gravity = "general.notifications.desktop.min_severity";
    let loss = "rules.daily_realized_loss.limit";
    let wishes = [(None, LIMIT, "3"), (None, loss, "-900"), (None, gravity, "ERROR")];
    let preview = previewed(home.path(), &watching, Guarded::default(), &wishes).await;
    assert_eq!((preview.faults, preview.refused), (vec![], None));
    let seen: Vec<_> =
        preview.changes.iter().map(|it| (it.key.as_str(), &it.to, it.effect, it.applies_at)).collect();
    let reset = Some(at("2026-03-02T23:00:00Z"));
    assert_eq!(
        seen,
        [
            (LIMIT, &json!(3), ChangeEffect::Now, None),
            (loss, &json!(-900), ChangeEffect::Later, reset),
            (gravity, &json!("ERROR"), ChangeEffect::Now, None),
        ]
    );
    assert_eq!(fs::read_to_string(home.path().join("risk.yaml")).unwrap(), RULES);
}

#[tokio::test]
async fn a_preview_says_which_settings_of_the_log_need_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let watching = watching(home.path());
    for (key, value, effect) in [
        ("general.logging.level", "DEBUG", ChangeEffect::Now),
        ("general.logging.directory", "elsewhere", ChangeEffect::Restart),
        ("general.logging.max_size_mb", "7", ChangeEffect::Restart),
        ("general.logging.retention_days", "7", ChangeEffect::Restart),
        ("general.timezone", "Europe/London", ChangeEffect::Now),
    ] {
        let preview = previewed(home.path(), &watching, Guarded::default(), &[(None, key, value)]).await;
        assert_eq!(preview.changes[0].effect, effect, "{key}");
    }
}

#[tokio::test]
async fn a_preview_knows_that_a_waiting_change_would_be_taken_back() {
    let home = tempfile::tempdir().unwrap();
    let watching = watching(home.path());
    let rulebook = load(home.path()).unwrap().rulebook;
    fs::write(home.path().join("risk.yaml"), RULES.replace('5', "9")).unwrap();
    let in_force = Box::new(InForce { rulebook, loosens_at: None, guarded: Guarded::default() });
    let errand = Errand::Preview { edits: edits(&[(None, LIMIT, "5")]), in_force };
    let Reply::Preview { preview } = run(&watching, errand).await else { panic!("no preview") };
    let seen: Vec<_> = preview.changes.iter().map(|it| (&it.from, &it.to, it.effect)).collect();
    assert_eq!(seen, [(&json!(5), &json!(9), ChangeEffect::Withdrawn)]);
}

#[tokio::test]
async fn a_preview_tells_everything_that_the_check_would_refuse() {
    let home = tempfile::tempdir().unwrap();
    let watching = watching(home.path());
    let loss = "rules.daily_realized_loss.limit";
    let wrong = [(None, LIMIT, "0"), (None, loss, "5")];
    let preview = previewed(home.path(), &watching, Guarded::default(), &wrong).await;
    assert_eq!(preview.changes, []);
    let told: Vec<_> =
        preview.faults.iter().map(|it| (it.file.as_str(), it.key.as_str(), it.is_error)).collect();
    assert!(told.contains(&("risk.yaml", LIMIT, true)), "{told:?}");
    assert!(told.contains(&("risk.yaml", loss, true)), "{told:?}");

    let own = [(Some("7"), LIMIT, "1")];
    let preview = previewed(home.path(), &watching, Guarded::default(), &own).await;
    assert!(preview.faults[0].problem.starts_with("The account 7 is not listed"), "{:?}", preview.faults);
}

#[tokio::test]
async fn while_the_settings_are_locked_only_stricter_changes_pass() {
    let home = tempfile::tempdir().unwrap();
    let mut watching = watching(home.path());
    let sealed = Some((at("2026-03-02T23:00:00Z"), at("2026-03-02T15:00:00Z")));
    let guarded = Guarded { accounts: Vec::new(), sealed };
    let preview = previewed(home.path(), &watching, guarded.clone(), &[(None, LIMIT, "8")]).await;
    let reason = preview.refused.unwrap();
    assert!(reason.starts_with("Risk Settings are locked until 5:00"), "{reason}");
    assert!(reason.contains("max_contracts.limit: 5 -> 8"), "{reason}");
    let save = |limit| Errand::Save { edits: edits(&[(None, LIMIT, limit)]), guarded: guarded.clone() };
    assert_eq!(run(&watching, save("8")).await, Reply::Refused { reason });
    assert_eq!(run(&watching, save("2")).await, Reply::Accepted);
    assert_eq!(limit_told(&mut watching).await, Contracts(2));
}

#[tokio::test]
async fn what_is_shown_names_the_line_of_each_value_and_the_fault_of_a_broken_file() {
    let home = tempfile::tempdir().unwrap();
    let watching = watching(home.path());
    let limit = |settings: &SettingsView| {
        settings.scopes[0].values.iter().find(|it| it.key == LIMIT).unwrap().clone()
    };
    let settings = shown(&watching).await;
    let value = limit(&settings);
    assert_eq!((value.value, value.origin, value.line), (json!(5), SettingOrigin::Everyone, Some(2)));
    assert!(settings.usable);

    fs::write(home.path().join("risk.yaml"), RULES.replace('5', "many")).unwrap();
    let settings = shown(&watching).await;
    assert_eq!((settings.usable, limit(&settings).value), (false, json!(5)));
    assert_eq!((settings.faults[0].line, settings.faults[0].is_error), (Some(2), true));
}

/// What the pages are worked on with, written by `UPDATE_EXPECT=1 cargo test -p runtime sample`.
#[test]
fn the_pages_sample_settings_are_current() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("risk.yaml"), SAMPLE_RULES).unwrap();
    fs::write(home.path().join("accounts.yaml"), SAMPLE_ACCOUNTS).unwrap();
    let Reply::Settings { settings } = show(home.path(), None) else { panic!("not shown") };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/lib/fake/settings.json");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, serde_json::to_string_pretty(&settings).unwrap() + "\n").unwrap();
    }
    let kept: Json = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(kept, serde_json::to_value(&settings).unwrap(), "stale: run with UPDATE_EXPECT=1");
}

const SAMPLE_RULES: &str = "\
rules:
  max_contracts: {limit: 5, count_type: gross}
  max_contracts_per_instrument:
    default_limit: 3
    instrument_limits: {MNQ: 4, ES: 1}
  daily_realized_loss: {limit: -1000, basis: combined}
  daily_realized_profit: {target: 1000}
  daily_unrealized_loss: {limit: -200}
  max_unrealized_profit: {target: 500, rule_mode: warn}
  trade_frequency_limit:
    limits: {per_minute: 3, per_hour: 10, per_session: 50}
  cooldown_after_loss:
    loss_thresholds:
      - {loss_amount: -100, cooldown_duration: 5m}
      - {loss_amount: -200, cooldown_duration: 15m}
      - {loss_amount: -300, cooldown_duration: 30m}
  no_stop_loss_grace: {grace_period_seconds: 120}
  session_block_outside:
    timezone: America/Chicago
    sessions:
      - {start: \"08:30\", end: \"15:00\"}
  symbol_blocks: {blocked_symbols: [RTY, CL]}
";
const SAMPLE_ACCOUNTS: &str = "\
accounts:
  - id: 93365101
    name: Combine
    config_overrides:
      daily_realized_loss: {limit: -750}
      max_contracts_per_instrument: {instrument_limits: {MNQ: 2}}
  - {id: 61407733, name: Practice}
";
