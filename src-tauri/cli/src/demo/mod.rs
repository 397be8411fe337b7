//! `riskctl demo`: simulator, scripted trader and engine in one process, talking over real sockets. Each
//! breach and its enforcement is told as it happens; the last line says whether anything was missed.

mod stage;
mod story;

use std::path::Path;

use runtime::Home;
use tempfile::TempDir;

use crate::{args::Demo, exit::Failure, print};
use stage::Stage;
pub use stage::write_settings;
use story::STORY;

/// Plays the story.
pub async fn run(home: Option<&Path>, options: Demo) -> Result<(), Failure> {
    let temporary = TempDir::with_prefix("risk-manager-demo-").map_err(Failure::other)?;
    let home = Home::find(Some(home.unwrap_or_else(|| temporary.path())))?;
    print::line(
        "Risk Manager demo: a simulated account, a trader who breaks rules, and what is done about it.\n",
    )?;
    let mut stage = Stage::open(home).await?;
    print::line(format!("{}\n", stage.setting()))?;
    let mut enforced = 0;
    for (number, scene) in STORY.iter().enumerate() {
        print::line(format!("{}. {}: {}", number + 1, scene.title, scene.told))?;
        match stage.play(scene).await {
            Ok(outcome) => {
                enforced += 1;
                print::line(format!("   enforced: {outcome}"))?;
            }
            Err(why) => print::line(format!("   MISSED: {why}"))?,
        }
    }
    let summary = stage.summary().await;
    let home = stage.close().await;
    print::line(format!("\n{summary}"))?;
    if options.keep {
        print::line(format!("The records: riskctl --home {} log", temporary.keep().display()))?;
    } else {
        tracing::debug!("demo home {}", home.path().display());
    }
    let missed = STORY.len() - enforced;
    print::line(format!("{} breaches, {enforced} enforced, {missed} missed", STORY.len()))?;
    if missed == 0 { Ok(()) } else { Err(Failure::other("")) }
}
