//! `riskctl backup`: copies of the database. Taking, listing and checking them goes beside a running engine; putting
//! one back needs a stopped one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use comfy_table::Table;
use runtime::{Home, HomeError, core::BackupPlan, settings};
use serde_json::{Value, json};
use store::{
    Found, Origin, Reader, Settings,
    backup::{self, BackupFile},
};
use views::text::{time, words};

use super::act;
use crate::{args::Backup, exit::Failure, print};

/// Does what is asked with the backups of the home.
pub fn run(home: Option<&Path>, options: &Backup) -> Result<(), Failure> {
    let home = Home::find(home)?;
    match options {
        Backup::Now(format) => now(&home, format.json),
        Backup::List(format) => list(&home, format.json),
        Backup::Verify { file, json } => verify(&home, file.as_deref(), *json),
        Backup::Restore { file, yes } => restore(&home, file, *yes),
    }
}

fn now(home: &Home, as_json: bool) -> Result<(), Failure> {
    // Says in its own words what is wrong where there is no database.
    Reader::open(home.path())?;
    let loaded = settings::load(&home.config());
    // Broken settings are no reason to go without a backup.
    let plan = loaded.map(|it| BackupPlan::of(&it.settings.database)).unwrap_or_default();
    let taken = backup::take(home.path(), chrono::Utc::now(), plan.most).map_err(Failure::dependency)?;
    if as_json {
        return print::json(&shown(&taken));
    }
    print::line(format!("Taken and checked: {}", taken.path.display()))
}

fn list(home: &Home, as_json: bool) -> Result<(), Failure> {
    let found = backup::list(home.path()).map_err(Failure::dependency)?;
    if as_json {
        return print::json(&found.iter().map(shown).collect::<Vec<_>>());
    }
    if found.is_empty() {
        return print::line("There is no backup. `riskctl backup now` takes one.");
    }
    print::line(table(&found))
}

fn table(found: &[BackupFile]) -> Table {
    let now = chrono::Utc::now();
    let mut table = print::table(&["Backup", "Taken", "Size"]);
    for it in found {
        table.add_row([name(&it.path), time::event(it.at, now), format!("{} KB", bytes(it).div_ceil(1024))]);
    }
    table
}

fn verify(home: &Home, file: Option<&Path>, as_json: bool) -> Result<(), Failure> {
    let files: Vec<PathBuf> = match file {
        Some(file) => vec![place(home, file)],
        None => {
            let found = backup::list(home.path()).map_err(Failure::dependency)?;
            found.into_iter().map(|it| it.path).collect()
        }
    };
    let verdicts: Vec<_> = files.iter().map(|file| (file, backup::check(file))).collect();
    if as_json {
        let said = |(file, verdict): &(&PathBuf, Result<(), store::BackupError>)| {
            let reason = verdict.as_ref().err().map(ToString::to_string);
            json!({"file": name(file), "sound": reason.is_none(), "reason": reason})
        };
        print::json(&verdicts.iter().map(said).collect::<Vec<_>>())?;
    } else if verdicts.is_empty() {
        print::line("There is no backup. `riskctl backup now` takes one.")?;
    } else {
        for (file, _) in verdicts.iter().filter(|(_, verdict)| verdict.is_ok()) {
            print::line(format!("Sound: {}", name(file)))?;
        }
    }
    let bad: Vec<String> =
        verdicts.into_iter().filter_map(|(_, it)| it.err()).map(|it| it.to_string()).collect();
    if bad.is_empty() { Ok(()) } else { Err(Failure::other(bad.join("\n  "))) }
}

fn restore(home: &Home, file: &Path, yes: bool) -> Result<(), Failure> {
    let file = place(home, file);
    backup::check(&file).map_err(Failure::other)?;
    // Held until the end, so that no engine starts on half of it.
    let _lock = home.claim().map_err(refused)?;
    act::confirm(yes, &format!("Put {} in the place of the database", name(&file)))?;
    let found = backup::restore(home.path(), &file, chrono::Utc::now()).map_err(Failure::dependency)?;
    tell(&found, &file)
}

fn refused(error: HomeError) -> Failure {
    match error {
        HomeError::Taken { path, pid } => Failure::other(format!(
            "an engine is running on {} (process {pid}), and writes into the database. Quit it first, then restore",
            path.display()
        )),
        HomeError::Unknown | HomeError::NotWritable { .. } => error.into(),
    }
}

fn tell(found: &Found, file: &Path) -> Result<(), Failure> {
    print::line(format!("{} is the database now.", name(file)))?;
    if let Origin::Chosen { quarantined: Some(aside), .. } = &found.origin {
        print::line(format!("The one of before is {}.", aside.display()))?;
    }
    if !found.restored_lockouts.is_empty() {
        let lockouts = u32::try_from(found.restored_lockouts.len()).unwrap_or(u32::MAX);
        print::line(format!("Still active: {}.", words::count(lockouts, "lockout")))?;
    }
    match found.settings {
        Settings::Kept => {}
        Settings::Restored => print::line("The settings that were accepted last stay in force.")?,
        Settings::Lost { .. } => print::line("The accepted settings are lost: the files count as they are.")?,
    }
    print::line("`riskctl audit verify` tells of the change.")
}

/// A backup by its name, or any file by its path.
fn place(home: &Home, file: &Path) -> PathBuf {
    let kept = home.path().join(backup::DIRECTORY).join(file);
    if file.components().count() == 1 && kept.exists() { kept } else { file.to_path_buf() }
}

fn shown(backup: &BackupFile) -> Value {
    json!({"file": name(&backup.path), "at": backup.at, "bytes": bytes(backup), "path": backup.path})
}

fn bytes(backup: &BackupFile) -> u64 {
    fs::metadata(&backup.path).map_or(0, |it| it.len())
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
}
