//! What goes wrong: networks, brokers, computers, disks and clocks, each for a while.

use chrono::TimeDelta;
use domain::Instant;

use crate::{dice::Dice, laws::LONGEST_SLEEP, process::Death};

/// One sort of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ill {
    /// Everything takes seconds.
    Storm,
    /// Requests fail, are lost, or are answered with errors, executed or not.
    Flaky,
    /// No network.
    Cut,
    /// Hub connections end, in order or not.
    Drop,
    /// Hubs say nothing.
    Silence,
    /// The session ends early.
    Expire,
    /// Events arrive twice.
    Duplicate,
    /// Events are lost.
    Lose,
    /// Events overtake each other.
    Reorder,
    /// Orders fill in pieces.
    Pieces,
    /// Orders fill late.
    SlowFills,
    /// The market is shut.
    Shut,
    /// The account may not trade.
    CannotTrade,
    /// A trade is undone.
    Void,
    /// An event that makes no sense.
    Malformed,
    /// A turn is told as one update.
    FlipAsUpdate,
    /// The process is killed somewhere.
    Kill,
    /// The process is stopped in order.
    Stop,
    /// The computer sleeps.
    Sleep,
    /// Somebody turns the wall clock.
    WallClock,
    /// The disk does not answer.
    Disk,
    /// Settings are tightened.
    Tighten,
}

/// All of them with their weights.
pub(crate) const ILLS: [(u32, Ill); 22] = [
    (3, Ill::Storm),
    (5, Ill::Flaky),
    (4, Ill::Cut),
    (4, Ill::Drop),
    (3, Ill::Silence),
    (2, Ill::Expire),
    (3, Ill::Duplicate),
    (3, Ill::Lose),
    (3, Ill::Reorder),
    (4, Ill::Pieces),
    (2, Ill::SlowFills),
    (2, Ill::Shut),
    (1, Ill::CannotTrade),
    (2, Ill::Void),
    (1, Ill::Malformed),
    (2, Ill::FlipAsUpdate),
    (6, Ill::Kill),
    (2, Ill::Stop),
    (2, Ill::Sleep),
    (2, Ill::WallClock),
    (2, Ill::Disk),
    (2, Ill::Tighten),
];

/// How a trouble bears on the laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// The broker answers, the engine hears: everything holds.
    Light,
    /// The engine has reason to doubt, but acts all the same.
    Doubtful,
    /// Nobody can promise an answer.
    Grave,
}

impl Ill {
    pub fn weight(self) -> Weight {
        match self {
            Self::Duplicate
            | Self::Pieces
            | Self::CannotTrade
            | Self::Void
            | Self::Malformed
            | Self::FlipAsUpdate
            | Self::Tighten => Weight::Light,
            Self::Disk | Self::Reorder => Weight::Doubtful,
            Self::Storm
            | Self::Flaky
            | Self::Cut
            | Self::Drop
            | Self::Silence
            | Self::Expire
            | Self::Lose
            | Self::SlowFills
            | Self::Shut
            | Self::Kill
            | Self::Stop
            | Self::Sleep
            | Self::WallClock => Weight::Grave,
        }
    }

    /// How long it lasts.
    pub fn length(self, dice: &mut Dice) -> TimeDelta {
        match self {
            Self::Drop | Self::Expire | Self::Void | Self::Malformed | Self::Tighten => dice.ms(1..=50),
            Self::Kill | Self::Stop => dice.ms(500..=40_000),
            Self::Cut | Self::Silence => dice.ms(1_000..=70_000),
            Self::Sleep => dice.seconds(10..=LONGEST_SLEEP.num_seconds()),
            Self::Disk => dice.ms(200..=15_000),
            Self::Storm
            | Self::Flaky
            | Self::Duplicate
            | Self::Lose
            | Self::Reorder
            | Self::Pieces
            | Self::SlowFills
            | Self::Shut
            | Self::CannotTrade
            | Self::FlipAsUpdate
            | Self::WallClock => dice.ms(2_000..=40_000),
        }
    }
}

/// Where a kill hits.
pub(crate) fn death(dice: &mut Dice) -> Option<Death> {
    dice.weighted(&[
        (3, None),
        (3, Some(Death::BeforeCommit)),
        (3, Some(Death::AfterCommit)),
        (3, Some(Death::AfterSend)),
    ])
}

/// What is the matter at the moment, and since when nothing is.
#[derive(Debug)]
pub(crate) struct Troubles {
    grave: u32,
    doubtful: u32,
    pub quiet_since: Instant,
    pub undoubted_since: Instant,
}

impl Troubles {
    pub fn new(now: Instant) -> Self {
        Self { grave: 0, doubtful: 0, quiet_since: now, undoubted_since: now }
    }

    pub fn begin(&mut self, weight: Weight) {
        match weight {
            Weight::Light => {}
            Weight::Doubtful => self.doubtful += 1,
            Weight::Grave => self.grave += 1,
        }
    }

    pub fn end(&mut self, weight: Weight, now: Instant) {
        match weight {
            Weight::Light => {}
            Weight::Doubtful => {
                self.doubtful = self.doubtful.saturating_sub(1);
                self.undoubted_since = now;
            }
            Weight::Grave => {
                self.grave = self.grave.saturating_sub(1);
                self.quiet_since = now;
            }
        }
    }

    pub fn is_grave(&self) -> bool {
        self.grave > 0
    }

    pub fn is_doubtful(&self) -> bool {
        self.doubtful > 0
    }
}
