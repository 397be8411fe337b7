//! What becomes of an engine that ends by itself: another takes its place, a few times; then the icon stays red,
//! and the trader is told what is left to do. Nobody is left with an icon that only looks like protection.

use std::{mem, time::Duration};

use runtime::Sign;
use tokio::sync::mpsc;
use views::text::note;

use super::{Deed, Deeds, Tray, send};
use crate::engine::{Engine, Failure};

/// How often another engine takes the place of one that ended by itself.
const MOST_RESTARTS: u32 = 3;
/// Pause before it does.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// Hears what an engine of our own signals, and when it ends by itself.
pub fn watch(engine: &mut Engine, deeds: &Deeds) {
    if let Some(signs) = engine.signs() {
        tokio::spawn(hear(deeds.clone(), signs));
    }
}

async fn hear(deeds: Deeds, mut signs: mpsc::Receiver<Sign>) {
    while let Some(sign) = signs.recv().await {
        // The guard password was given for quitting.
        if sign == Sign::MayEnd {
            send(&deeds, Deed::End(0));
        }
    }
    send(&deeds, Deed::Revive);
}

impl Tray {
    /// The engine ended by itself. Its home is free once it is cleared away.
    pub(super) fn revive(&mut self) {
        let Engine::Own(engine) = mem::replace(&mut self.engine, Engine::Ended) else { return };
        if self.restarts == MOST_RESTARTS {
            tokio::spawn(engine.stop());
            let why = format!("It was started again {MOST_RESTARTS} times and ended again.");
            return self.notifier.tell(note::engine_ended(&why));
        }
        self.restarts += 1;
        let (deeds, zones) = (self.deeds.clone(), self.zones);
        tokio::spawn(async move {
            tokio::time::sleep(RESTART_AFTER).await;
            send(&deeds, Deed::Revived(Box::new(engine.again(zones).await)));
        });
    }

    /// Icon and menu follow by themselves: they show whoever serves the home.
    pub(super) fn revived(&mut self, engine: Result<Engine, Failure>) {
        match engine {
            Ok(mut engine) => {
                watch(&mut engine, &self.deeds);
                // Otherwise somebody else was faster, and serves the home.
                if engine.is_own() {
                    self.notifier.tell(note::engine_restarted());
                }
                self.engine = engine;
            }
            Err(failure) => {
                tracing::error!(target: "errors", "the engine cannot be started again: {}", failure.text);
                self.notifier.tell(note::engine_ended(&failure.text));
            }
        }
    }
}
