//! How a reading of the broker's state differs from what was known, in words.

use domain::{Difference, Discrepancy, Exposure, Price, Severity, Side, Subject, Symbol};

use super::{Note, Scene};

/// Differences that a message names; of more it gives the number.
const MOST_NAMED: usize = 3;

/// `MNQ position: 2 long known, 3 long read`.
#[must_use]
pub fn text(it: &Discrepancy, symbol: &Symbol) -> String {
    let what = match &it.subject {
        Subject::Position => format!("{symbol} position"),
        Subject::Order { order } => format!("{symbol} order {order}"),
        Subject::Fill { fill } => format!("{symbol} fill {fill}"),
    };
    let sizes = size_of(&it.subject);
    let how = match &it.difference {
        Difference::Missing { known } => format!("{} known, the broker has none", sizes(*known)),
        Difference::Extra { read } => format!("{} read, not known before", sizes(*read)),
        Difference::Size { known, read } | Difference::Side { known, read } => {
            format!("{} known, {} read", sizes(*known), sizes(*read))
        }
        Difference::Price { known, read } => format!("price {} known, {} read", price(*known), price(*read)),
        Difference::Stop { known, read } => format!("stop {} known, {} read", price(*known), price(*read)),
    };
    format!("{what}: {how}")
}

/// A reading found what the stream should have told.
#[must_use]
pub fn event_lost(differences: &[String], scene: &Scene<'_>) -> Note {
    let named = differences.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join("; ");
    let more = match differences.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let body = format!(
        "A reading found what {} had not told: {named}{more}. What was read counts, and every rule was judged by it.",
        scene.broker
    );
    scene.note(Severity::Warning, "A message was lost", &body)
}

fn size_of(subject: &Subject) -> impl Fn(Exposure) -> String + use<> {
    let is_held = *subject == Subject::Position;
    move |exposure| {
        let side = match (Side::of(exposure), is_held) {
            (Some(Side::Long), true) => "long",
            (Some(Side::Short), true) => "short",
            (Some(Side::Long), false) => "to buy",
            (Some(Side::Short), false) => "to sell",
            (None, _) => "flat",
        };
        format!("{} {side}", exposure.size())
    }
}

fn price(price: Option<Price>) -> String {
    price.map_or_else(|| "none".to_owned(), |price| price.0.normalize().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(subject: Subject, difference: Difference) -> String {
        text(&Discrepancy { contract: "C".into(), subject, difference }, &"MNQ".into())
    }

    #[test]
    fn a_difference_says_what_was_known_and_what_was_read() {
        let (known, read) = (Exposure(2), Exposure(-3));
        assert_eq!(
            told(Subject::Position, Difference::Side { known, read }),
            "MNQ position: 2 long known, 3 short read"
        );
        assert_eq!(
            told(Subject::Order { order: 7.into() }, Difference::Missing { known: read }),
            "MNQ order 7: 3 to sell known, the broker has none"
        );
        let (known, read) = (Some(Price("21000.50".parse().unwrap())), None);
        assert_eq!(
            told(Subject::Order { order: 7.into() }, Difference::Stop { known, read }),
            "MNQ order 7: stop 21000.5 known, none read"
        );
    }
}
