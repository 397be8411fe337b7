//! What a viewer knows of its engine, and how old that knowledge is.
//!
//! A picture that looks live and is not is the worst lie of all: whoever shows a view shows its sight.

use chrono::TimeDelta;
use domain::Instant;
use serde::{Deserialize, Serialize};

use crate::view::View;

/// What a viewer knows. Ages are of this viewer's steady clock; no wall clock is compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "sight", rename_all = "snake_case")]
pub enum Sight {
    /// No answer yet since the viewer started.
    Connecting {
        /// For how long, in milliseconds.
        age_ms: u64,
    },
    /// The engine answers.
    Live {
        /// Its latest picture.
        view: Box<View>,
        /// How long ago it arrived, in milliseconds.
        age_ms: u64,
    },
    /// The engine no longer answers.
    Lost {
        /// Its last picture, if there ever was one.
        view: Option<Box<View>>,
        /// How long ago it answered last, in milliseconds.
        age_ms: u64,
    },
}

impl Sight {
    /// The picture, true or not.
    #[must_use]
    pub fn view(&self) -> Option<&View> {
        match self {
            Self::Connecting { .. } => None,
            Self::Live { view, .. } => Some(view),
            Self::Lost { view, .. } => view.as_deref(),
        }
    }

    /// The engine's time of now, as far as it can be told.
    #[must_use]
    pub fn now(&self) -> Option<Instant> {
        let age = TimeDelta::milliseconds(i64::try_from(self.age_ms()).unwrap_or(i64::MAX));
        self.view()?.at.checked_add_signed(age)
    }

    fn age_ms(&self) -> u64 {
        match self {
            Self::Connecting { age_ms } | Self::Live { age_ms, .. } | Self::Lost { age_ms, .. } => *age_ms,
        }
    }
}
