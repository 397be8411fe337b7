//! A small set of [`EventKind`]s: what one step changed, and what a rule listens to.

use domain::EventKind;

/// Which kinds of change occurred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u32);

impl Kinds {
    /// Nothing changed.
    pub const NONE: Self = Self(0);

    /// The set of these.
    #[must_use]
    pub fn of(kinds: &[EventKind]) -> Self {
        kinds.iter().fold(Self::NONE, |set, kind| set.with(*kind))
    }

    /// With one more.
    #[must_use]
    pub const fn with(self, kind: EventKind) -> Self {
        Self(self.0 | (1 << kind as u32))
    }

    /// Adds another set.
    pub fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether it holds one.
    #[must_use]
    pub fn has(self, kind: EventKind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }

    /// Whether it shares any with another set.
    #[must_use]
    pub fn touches(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether it holds nothing that another set does not.
    #[must_use]
    pub fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}
