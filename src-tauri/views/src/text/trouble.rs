//! What RULE-010 tells: what is gone, since when, what is open meanwhile, what to do, and when it is back.

use domain::{Instant, OpenPosition, Part, Severity, Side, Trouble};

use super::{
    Doubt, Held,
    note::{Note, Scene, not_protected},
    time, words,
};

/// Something that protection stands on is gone.
pub(super) fn gone(
    severity: Severity,
    trouble: &Trouble,
    (since, times): (Instant, u32),
    open: &[OpenPosition],
    scene: &Scene<'_>,
) -> Note {
    let open: Vec<Held> = open.iter().filter_map(held).collect();
    let scene = &Scene { open: &open, ..*scene };
    let again = match times {
        0 | 1 => String::new(),
        times => format!(" Lost {times} times since the last message."),
    };
    let Some(doubt) = doubt(trouble) else {
        let open = match open.as_slice() {
            [] => String::new(),
            held => format!(" Open: {}.", words::holdings(held)),
        };
        let since = time::event(since, scene.now);
        let body = format!("Orders are refused since {since}.{open} Contact {}.{again}", scene.broker);
        return scene.note(severity, "The broker does not let this account trade", &body);
    };
    let told = not_protected(&doubt, since, scene);
    let advice = doubt.advice(scene.broker);
    // Without a position the advice is in the message already.
    let advice = if open.is_empty() { String::new() } else { format!(" {advice}") };
    Note { severity, body: format!("{}{advice}{again}", told.body), ..told }
}

/// It is back.
pub(super) fn over(
    severity: Severity,
    trouble: &Trouble,
    (since, until): (Instant, Instant),
    times: u32,
    scene: &Scene<'_>,
) -> Note {
    let what = match trouble {
        Trouble::ConnectionLost { part: Part::UserStream | Part::Session, .. } => "Connection",
        Trouble::ConnectionLost { part: Part::MarketStream, .. } => "Quotes",
        Trouble::AuthFailed { .. } => "Login",
        Trouble::CanTradeFalse => {
            let body = format!("{} accepts its orders.", scene.broker);
            return scene.note(severity, "This account may trade again", &body);
        }
    };
    if times > 1 {
        let (from, to) = (time::event(since, scene.now), time::event(until, scene.now));
        let body = format!("Between {from} and {to}. It is back now.");
        return scene.note(severity, &format!("{what} lost {times} times"), &body).of_protection();
    }
    let body = format!("Back after {}.", time::lasted(until - since));
    scene.note(severity, &format!("{what} restored"), &body).of_protection()
}

/// The reason for not being protected that a trouble is; permission to trade is none.
fn doubt(trouble: &Trouble) -> Option<Doubt> {
    match trouble {
        Trouble::ConnectionLost { part: Part::UserStream, .. } => Some(Doubt::UserStream),
        Trouble::ConnectionLost { part: Part::MarketStream, .. } => Some(Doubt::MarketStream),
        Trouble::ConnectionLost { part: Part::Session, why } => Some(Doubt::Unreachable { why: why.clone() }),
        Trouble::AuthFailed { why } => Some(Doubt::Login { why: why.clone(), error: None }),
        Trouble::CanTradeFalse => None,
    }
}

fn held(open: &OpenPosition) -> Option<Held> {
    Some(Held { side: Side::of(open.exposure)?, size: open.exposure.size(), symbol: open.symbol.clone() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::TimeDelta;
    use domain::{Exposure, Symbol};

    use super::*;
    use crate::text::Zones;

    const NOW: &str = "2025-11-18T19:12:06Z";

    fn check(told: impl FnOnce(&Scene<'_>) -> Note, title: &str, body: &str) {
        let symbols = BTreeMap::new();
        let scene = Scene {
            now: NOW.parse().unwrap(),
            zones: Zones::CENTRAL,
            broker: "TopstepX",
            account: None,
            open: &[],
            still_locked: false,
            symbols: &symbols,
        };
        let note = told(&scene);
        assert_eq!((note.title.as_str(), note.body.as_str()), (title, body));
    }

    fn since() -> Instant {
        "2025-11-18T19:12:04Z".parse().unwrap()
    }

    fn long(size: i64) -> Vec<OpenPosition> {
        vec![OpenPosition { account: "1".into(), symbol: Symbol::new("MNQ"), exposure: Exposure(size) }]
    }

    fn lost(part: Part) -> Trouble {
        Trouble::ConnectionLost { part, why: "closed".into() }
    }

    #[test]
    fn a_lost_connection_names_what_is_open_and_what_to_do() {
        check(
            |scene| gone(Severity::Warning, &lost(Part::UserStream), (since(), 1), &long(2), scene),
            "Not protected",
            "No connection to TopstepX since 1:12:04 PM CT. Open: Long 2 MNQ. Watch it in TopstepX. Check \
             your network.",
        );
        check(
            |scene| gone(Severity::Warning, &lost(Part::UserStream), (since(), 3), &[], scene),
            "Not protected",
            "No connection to TopstepX since 1:12:04 PM CT. No position was open. Check your network. Lost \
             3 times since the last message.",
        );
    }

    #[test]
    fn a_refused_login_says_what_to_check() {
        let refused = Trouble::AuthFailed { why: "invalid credentials".into() };
        check(
            |scene| gone(Severity::Error, &refused, (since(), 1), &[], scene),
            "Not protected",
            "TopstepX refused the login: invalid credentials since 1:12:04 PM CT. No position was open. Check both in Setup: \
             the user name is not the e-mail address.",
        );
    }

    #[test]
    fn an_account_that_may_not_trade() {
        check(
            |scene| gone(Severity::Error, &Trouble::CanTradeFalse, (since(), 1), &long(-1), scene),
            "The broker does not let this account trade",
            "Orders are refused since 1:12:04 PM CT. Open: Short 1 MNQ. Contact TopstepX.",
        );
        let until = since() + TimeDelta::seconds(60);
        check(
            |scene| over(Severity::Info, &Trouble::CanTradeFalse, (since(), until), 1, scene),
            "This account may trade again",
            "TopstepX accepts its orders.",
        );
    }

    #[test]
    fn what_is_back_says_how_long_it_was_gone() {
        let until = since() + TimeDelta::seconds(42);
        check(
            |scene| over(Severity::Info, &lost(Part::UserStream), (since(), until), 1, scene),
            "Connection restored",
            "Back after 42 s.",
        );
        check(
            |scene| over(Severity::Warning, &lost(Part::MarketStream), (since(), until), 3, scene),
            "Quotes lost 3 times",
            "Between 1:12:04 PM CT and 1:12:46 PM CT. It is back now.",
        );
    }
}
