//! Which figures are believed. A wild price (not above zero, crossed, or more than 5 % away within a
//! second) needs a second quote that says the same within 500 ms; otherwise the newest bar is asked for,
//! and the price counts unless the bar contradicts it (specification C.8, ruling 25). Until then the
//! figures from before stay: neither a misprint nor a crash is decided by one reading.

use chrono::TimeDelta;
use domain::{Exposure, Instant, Price, rulebook::PriceBasis};
use rust_decimal::Decimal;

use super::price::Figures;

/// A change by more than this share is wild if it comes within [`JUMP_WITHIN`].
const JUMP_PERCENT: u32 = 5;
const JUMP_WITHIN: TimeDelta = TimeDelta::seconds(1);
/// A second quote within this time confirms the first.
const CONFIRM_WITHIN: TimeDelta = TimeDelta::milliseconds(500);
/// Length of the bars that are asked for.
const BAR: TimeDelta = TimeDelta::seconds(60);

/// What is believed of one contract, and what is not yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Trust {
    figures: Option<Figures>,
    /// The price that the believed figures give.
    valuation: Option<Price>,
    /// When a believed quote last arrived.
    since: Option<Instant>,
    doubt: Option<Doubt>,
}

#[derive(Clone, Debug)]
struct Doubt {
    figures: Figures,
    price: Price,
    /// When the first wild quote came: the bar is asked for from then on.
    first: Instant,
    /// When the newest came: another within [`CONFIRM_WITHIN`] confirms it.
    newest: Instant,
    /// The platform's stamp of the newest: the same quote told twice confirms nothing.
    stamp: Option<Instant>,
    asked: bool,
}

impl Trust {
    /// The price that values a position by them.
    pub fn price(&self, basis: PriceBasis, held: Exposure) -> Option<Price> {
        match basis {
            PriceBasis::LastElseMid => self.valuation,
            PriceBasis::Mid | PriceBasis::ExitSide => self.figures?.price(basis, held),
        }
    }

    /// Takes the figures of a new quote; true if the believed ones changed.
    pub fn hear(&mut self, figures: Figures, stamp: Option<Instant>, now: Instant) -> bool {
        let Some(price) = figures.valuation() else { return self.believe_quietly(figures) };
        let confirmed = self.doubt.as_ref().is_some_and(|doubt| doubt.is_confirmed(price, stamp, now));
        if confirmed || !self.is_wild(figures, price, now) {
            self.since = Some(now);
            return self.believe(figures);
        }
        let (first, asked) = self.doubt.as_ref().map_or((now, false), |doubt| (doubt.first, doubt.asked));
        self.doubt = Some(Doubt { figures, price, first, newest: now, stamp, asked });
        false
    }

    /// When the bar must be asked for.
    pub fn asks_at(&self) -> Option<Instant> {
        self.doubt.as_ref().filter(|doubt| !doubt.asked).map(|doubt| doubt.first + CONFIRM_WITHIN)
    }

    /// The bar was asked for.
    pub fn asked(&mut self) {
        if let Some(doubt) = &mut self.doubt {
            doubt.asked = true;
        }
    }

    /// The newest bar decides about the doubt, if it is about that time; true if the believed figures
    /// changed.
    pub fn bar(&mut self, at: Instant, close: Price) -> bool {
        let Some(doubt) = self.doubt.take_if(|doubt| doubt.asked) else { return false };
        let speaks = at + BAR >= doubt.first;
        if speaks && is_far(doubt.price, close) {
            return false;
        }
        self.since = Some(doubt.newest);
        self.believe(doubt.figures)
    }

    /// There is no bar to be had: nothing contradicts the doubtful price.
    pub fn no_bar(&mut self) -> bool {
        let Some(doubt) = self.doubt.take_if(|doubt| doubt.asked) else { return false };
        self.since = Some(doubt.newest);
        self.believe(doubt.figures)
    }

    fn is_wild(&self, figures: Figures, price: Price, now: Instant) -> bool {
        let recent = self.since.is_some_and(|since| now - since <= JUMP_WITHIN);
        let jumps = recent && self.valuation.is_some_and(|known| is_far(price, known));
        price.0 <= Decimal::ZERO || figures.is_crossed() || jumps
    }

    fn believe(&mut self, figures: Figures) -> bool {
        self.doubt = None;
        self.believe_quietly(figures)
    }

    /// Figures that give no price yet are kept for the bases that need only one of them.
    fn believe_quietly(&mut self, figures: Figures) -> bool {
        self.valuation = figures.valuation();
        self.figures.replace(figures) != Some(figures)
    }
}

impl Doubt {
    fn is_confirmed(&self, price: Price, stamp: Option<Instant>, now: Instant) -> bool {
        let is_another = stamp.is_none() || stamp != self.stamp;
        is_another && now - self.newest <= CONFIRM_WITHIN && !is_far(price, self.price)
    }
}

/// More than 5 % away from a reference.
fn is_far(price: Price, reference: Price) -> bool {
    (price.0 - reference.0).abs() * Decimal::ONE_HUNDRED > reference.0.abs() * Decimal::from(JUMP_PERCENT)
}

#[cfg(test)]
mod tests {
    use domain::Quote;

    use super::*;

    fn at(milliseconds: i64) -> Instant {
        "2025-10-29T15:00:00Z".parse::<Instant>().unwrap() + TimeDelta::milliseconds(milliseconds)
    }

    fn price(text: &str) -> Price {
        Price(text.parse().unwrap())
    }

    struct Feed {
        trust: Trust,
        heard: Figures,
    }

    impl Feed {
        fn at_100() -> Self {
            let mut feed = Self { trust: Trust::default(), heard: Figures::default() };
            feed.last("100", 0);
            feed
        }

        fn last(&mut self, last: &str, ms: i64) -> Option<String> {
            self.quote(Some(last), None, None, ms)
        }

        fn quote(
            &mut self,
            last: Option<&str>,
            bid: Option<&str>,
            ask: Option<&str>,
            ms: i64,
        ) -> Option<String> {
            let quote = Quote {
                contract: "C".into(),
                last: last.map(price),
                bid: bid.map(price),
                ask: ask.map(price),
                at: Some(at(ms)),
            };
            self.heard = self.heard.with(&quote);
            self.trust.hear(self.heard, quote.at, at(ms));
            self.believed()
        }

        fn believed(&self) -> Option<String> {
            self.trust.valuation.map(|price| price.to_string())
        }
    }

    #[test]
    fn a_jump_counts_once_a_second_quote_says_the_same() {
        let mut feed = Feed::at_100();
        assert_eq!(feed.last("94", 800).as_deref(), Some("100"));
        assert_eq!(feed.trust.asks_at(), Some(at(1_300)));
        assert_eq!(feed.last("94.5", 1_300).as_deref(), Some("94.5"));
        assert_eq!(feed.trust.asks_at(), None);
    }

    #[test]
    fn five_percent_exactly_and_a_slow_change_are_no_jump() {
        let mut feed = Feed::at_100();
        assert_eq!(feed.last("95", 500).as_deref(), Some("95"));
        assert_eq!(feed.last("80", 1_501).as_deref(), Some("80"), "after more than a second");
    }

    #[test]
    fn a_single_misprint_is_forgotten_when_the_next_quote_is_sane() {
        let mut feed = Feed::at_100();
        feed.last("50", 100);
        assert_eq!(feed.last("100.25", 200).as_deref(), Some("100.25"));
        assert_eq!(feed.trust.asks_at(), None);
    }

    #[test]
    fn the_same_quote_told_twice_confirms_nothing() {
        let mut feed = Feed::at_100();
        feed.last("50", 100);
        feed.trust.hear(feed.heard, Some(at(100)), at(150));
        assert_eq!(feed.believed().as_deref(), Some("100"));
        feed.trust.hear(feed.heard, Some(at(160)), at(160));
        assert_eq!(feed.believed().as_deref(), Some("50"));
    }

    #[test]
    fn a_bar_contradicts_or_does_not() {
        let doubtful = || {
            let mut feed = Feed::at_100();
            feed.last("50", 100);
            feed.trust.asked();
            feed
        };
        let mut feed = doubtful();
        assert!(!feed.trust.bar(at(0), price("100.5")));
        assert_eq!(feed.believed().as_deref(), Some("100"), "contradicted");
        let mut feed = doubtful();
        assert!(feed.trust.bar(at(0), price("51")));
        assert_eq!(feed.believed().as_deref(), Some("50"), "not contradicted");
        let mut feed = doubtful();
        assert!(feed.trust.bar(at(-60_000), price("100.5")));
        assert_eq!(feed.believed().as_deref(), Some("50"), "an old bar says nothing");
        let mut feed = doubtful();
        assert!(feed.trust.no_bar());
        assert_eq!(feed.believed().as_deref(), Some("50"), "nobody contradicts");
    }

    #[test]
    fn a_bar_that_was_asked_for_another_reason_decides_nothing() {
        let mut feed = Feed::at_100();
        feed.last("50", 100);
        assert!(!feed.trust.bar(at(0), price("50")));
        assert_eq!(feed.believed().as_deref(), Some("100"));
        assert!(!feed.trust.no_bar());
    }

    #[test]
    fn prices_that_keep_jumping_do_not_put_the_question_off() {
        let mut feed = Feed::at_100();
        feed.last("50", 100);
        feed.last("150", 400);
        feed.last("20", 580);
        assert_eq!(feed.trust.asks_at(), Some(at(600)));
    }

    /// The sides are told one by one: a rising market is crossed for a moment.
    #[test]
    fn a_crossed_market_waits_for_the_next_quote() {
        let mut feed = Feed::at_100();
        assert_eq!(feed.quote(None, Some("99.75"), Some("100.25"), 10).as_deref(), Some("100"));
        assert_eq!(feed.quote(None, Some("101"), None, 20).as_deref(), Some("100"));
        assert_eq!(feed.quote(None, None, Some("101.5"), 21).as_deref(), Some("101.25"));
        feed.quote(None, Some("102"), None, 30);
        assert_eq!(feed.quote(None, Some("102.25"), None, 40).as_deref(), Some("101.875"), "confirmed");
    }

    #[test]
    fn a_price_that_is_not_above_zero_needs_a_second_one() {
        let mut feed = Feed::at_100();
        assert_eq!(feed.last("-37.63", 5_000).as_deref(), Some("100"));
        assert_eq!(feed.last("-37.75", 5_100).as_deref(), Some("-37.75"));
        assert_eq!(feed.last("0", 5_200).as_deref(), Some("-37.75"), "zero is no price");
    }
}
