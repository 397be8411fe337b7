//! What traders do, and what they like for a while.

/// Something a trader does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Market order, nothing else.
    Enter,
    /// Market order with stop and target from the broker.
    EnterBracketed,
    /// Far too many at once.
    Oversize,
    /// One more of what is held.
    AddOne,
    /// A stop for everything that has none.
    Protect,
    /// A stop for less than is held.
    ProtectPartly,
    /// A stop on the side that adds.
    WrongStop,
    /// A limit order away from the market.
    RestLimit,
    /// A stop order that enters beyond the market.
    RestStop,
    /// Twice the position the other way.
    Flip,
    /// Out of one position.
    Close,
    /// Out of a part of one.
    ClosePart,
    /// No stops any more.
    CancelStops,
    /// One order less.
    CancelOne,
    /// Another size or price.
    Amend,
    /// Something of the program: flatten, cancel all, lock out.
    Command,
}

/// What a trader likes for a while, and how often: seconds between two deeds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mood {
    pub deeds: &'static [(u32, Deed)],
    pub pause_ms: (i64, i64),
}

/// All moods with their weights.
pub(crate) const MOODS: [(u32, Mood); 8] = [
    // Careful.
    (
        3,
        Mood {
            deeds: &[
                (6, Deed::EnterBracketed),
                (3, Deed::Enter),
                (6, Deed::Protect),
                (3, Deed::ClosePart),
                (3, Deed::Close),
                (1, Deed::Amend),
            ],
            pause_ms: (2_000, 12_000),
        },
    ),
    // Greedy.
    (
        4,
        Mood {
            deeds: &[
                (5, Deed::Oversize),
                (6, Deed::AddOne),
                (3, Deed::Enter),
                (2, Deed::Flip),
                (3, Deed::Protect),
            ],
            pause_ms: (500, 6_000),
        },
    ),
    // Careless.
    (
        4,
        Mood {
            deeds: &[
                (6, Deed::Enter),
                (4, Deed::CancelStops),
                (3, Deed::ProtectPartly),
                (2, Deed::WrongStop),
                (2, Deed::Protect),
                (2, Deed::AddOne),
                (1, Deed::Amend),
            ],
            pause_ms: (1_000, 9_000),
        },
    ),
    // Patient.
    (
        3,
        Mood {
            deeds: &[
                (6, Deed::RestLimit),
                (6, Deed::RestStop),
                (3, Deed::EnterBracketed),
                (3, Deed::CancelOne),
                (2, Deed::Amend),
                (1, Deed::Protect),
            ],
            pause_ms: (1_000, 8_000),
        },
    ),
    // Furious.
    (
        4,
        Mood {
            deeds: &[
                (6, Deed::Enter),
                (4, Deed::EnterBracketed),
                (4, Deed::Flip),
                (3, Deed::RestLimit),
                (3, Deed::RestStop),
                (3, Deed::Oversize),
                (1, Deed::Close),
            ],
            pause_ms: (300, 4_000),
        },
    ),
    // Nervous.
    (
        2,
        Mood {
            deeds: &[
                (6, Deed::Enter),
                (6, Deed::Close),
                (4, Deed::ClosePart),
                (3, Deed::Flip),
                (3, Deed::CancelOne),
            ],
            pause_ms: (500, 5_000),
        },
    ),
    // Contrite.
    (
        1,
        Mood {
            deeds: &[(4, Deed::Command), (4, Deed::Enter), (3, Deed::RestLimit), (2, Deed::Protect)],
            pause_ms: (2_000, 15_000),
        },
    ),
    // Absent.
    (1, Mood { deeds: &[(1, Deed::Enter)], pause_ms: (60_000, 300_000) }),
];
