//! Prices and metadata: what an open position is worth. Unknown stays unknown, a price of another
//! contract is never used (specification A.3, C.8). Time is an argument; [`turn`] says what it brings.

mod bars;
mod lag;
mod look;
mod pace;
mod price;
mod trust;
mod turn;
mod worth;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    ContractId, Exposure, Instant, Instrument, Position, Price, Quote, Symbol, Usd, rulebook::PriceBasis,
};

use self::{bars::Bars, lag::Lag, pace::Pace, price::Figures, trust::Trust};
pub(crate) use look::Look;
pub use worth::{Reached, Worth};

/// All known contracts.
#[derive(Clone, Debug, Default)]
pub struct Market {
    contracts: BTreeMap<ContractId, Listing>,
    connected: bool,
    /// When the market stream last came up.
    up: Option<Instant>,
    /// When the last quote of any contract arrived.
    quoted: Option<Instant>,
    /// The whole stream has been silent for too long: no price is usable.
    silent: bool,
    /// When the last bar of any contract was asked for.
    bar_asked: Option<Instant>,
}

#[derive(Clone, Debug, Default)]
struct Listing {
    instrument: Option<Instrument>,
    symbol: Option<Symbol>,
    /// All newest figures, believed or not.
    heard: Figures,
    trust: Trust,
    lag: Lag,
    pace: Pace,
    bars: Bars,
    /// When its last quote arrived.
    quoted: Option<Instant>,
    /// Since when quotes of it are wanted without a break.
    wanted: Option<Instant>,
    /// When they were last wanted, if they are not any more.
    unwanted: Option<Instant>,
    metadata_asked: Option<Instant>,
    /// When the broker last told it, in this run.
    metadata_told: Option<Instant>,
}

/// What a quote brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// The contract is to be evaluated now.
    pub evaluate: bool,
    /// The whole stream had been silent: every contract is to be evaluated.
    pub resumed: bool,
    /// Its quotes began to arrive late, by this much.
    pub late: Option<TimeDelta>,
    /// They arrive in time again.
    pub in_time: bool,
}

/// A question for metadata without answer is put again after this time.
const ASK_METADATA_EVERY: TimeDelta = TimeDelta::seconds(15);

/// Metadata of a held contract is asked for anew after this time (specification C.8).
const METADATA_LASTS: TimeDelta = TimeDelta::hours(1);

/// A contract stays subscribed for this long after it was last held or wanted: between an entry order that
/// filled and the position that it opened there is a moment without either.
pub const QUOTES_LINGER: TimeDelta = TimeDelta::seconds(10);

impl Market {
    /// Lays a change of prices over what is known. A quote that changes nothing allocates nothing.
    pub(crate) fn learn_quote(&mut self, quote: &Quote, now: Instant) -> Heard {
        if !self.contracts.contains_key(&quote.contract) {
            self.contracts.insert(quote.contract.clone(), Listing::default());
        }
        let Some(listing) = self.contracts.get_mut(&quote.contract) else { return Heard::default() };
        self.quoted = Some(now);
        let mut heard = Heard { resumed: std::mem::take(&mut self.silent), ..listing.hear(quote, now) };
        heard.evaluate |= heard.resumed;
        heard
    }

    /// Takes a bar; true if it changed what a position may be worth.
    pub(crate) fn learn_bar(
        &mut self,
        contract: &ContractId,
        at: Instant,
        close: Price,
        now: Instant,
    ) -> bool {
        self.contracts
            .get_mut(contract)
            .is_some_and(|listing| listing.trust.bar(at, close) | listing.bars.learn(at, close, now))
    }

    /// A bar could not be had; true if that changed what a position is worth.
    pub(crate) fn no_bar(&mut self, contract: &ContractId) -> bool {
        self.contracts.get_mut(contract).is_some_and(|listing| listing.trust.no_bar())
    }

    /// Takes metadata as the broker told it at `told`, or as it is remembered; true if it is another.
    pub(crate) fn learn_instrument(&mut self, instrument: Instrument, told: Option<Instant>) -> bool {
        let listing = self.contracts.entry(instrument.contract.clone()).or_default();
        let changed = listing.instrument.as_ref() != Some(&instrument);
        listing.instrument = Some(instrument);
        listing.metadata_told = told;
        changed
    }

    /// Held contracts whose metadata is to be asked for now; notes that it was.
    pub(crate) fn lacking_metadata(
        &mut self,
        now: Instant,
        is_held: impl Fn(&ContractId) -> bool,
    ) -> impl Iterator<Item = ContractId> {
        let is_old =
            move |listing: &Listing| listing.metadata_told.is_none_or(|at| now >= at + METADATA_LASTS);
        let old = self.contracts.iter_mut().filter(move |(_, listing)| is_old(listing));
        old.filter_map(move |(contract, listing)| {
            let asked = listing.metadata_asked.is_some_and(|at| now < at + ASK_METADATA_EVERY);
            (!asked && is_held(contract)).then(|| {
                listing.metadata_asked = Some(now);
                contract.clone()
            })
        })
    }

    /// Quotes of a contract are wanted.
    pub(crate) fn want(&mut self, contract: &ContractId, symbol: &Symbol, now: Instant) {
        if !self.contracts.contains_key(contract) {
            self.contracts.insert(contract.clone(), Listing::default());
        }
        let Some(listing) = self.contracts.get_mut(contract) else { return };
        if listing.wanted.is_none() {
            listing.wanted = Some(now);
            listing.symbol = Some(symbol.clone());
            if listing.unwanted.take().is_some_and(|since| now >= since + QUOTES_LINGER) {
                listing.forget_price();
            }
        }
    }

    /// Quotes of all other contracts are not wanted: their subscriptions end.
    pub(crate) fn want_only(&mut self, now: Instant, is_wanted: impl Fn(&ContractId) -> bool) {
        for (contract, listing) in &mut self.contracts {
            if listing.wanted.is_some() && !is_wanted(contract) {
                listing.wanted = None;
                listing.unwanted = Some(now);
                listing.lag.begin_anew();
            }
        }
    }

    /// The market stream is back or lost. Prices from before a loss are not usable afterwards: each
    /// contract needs a new quote.
    pub(crate) fn connected(&mut self, connected: bool, now: Instant) {
        self.connected = connected;
        self.up = connected.then_some(now);
        self.silent = false;
        for listing in self.contracts.values_mut().filter(|_| !connected) {
            listing.forget_price();
            listing.lag.begin_anew();
        }
    }

    /// The clock moved, or this computer slept: how late a quote is can only be judged anew.
    pub(crate) fn clock_moved(&mut self) {
        self.contracts.values_mut().for_each(|listing| listing.lag.forget());
    }

    /// Whether the market stream is up.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Whether the whole stream has been silent for too long, in exchange hours.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// Whether quotes of a contract arrive late, so that decisions about its open result pause.
    #[must_use]
    pub fn is_late(&self, contract: &ContractId) -> bool {
        self.contracts.get(contract).is_some_and(|listing| listing.lag.is_open())
    }

    /// One contract as it stands.
    pub(crate) fn look(&self, contract: &ContractId) -> Look<'_> {
        Look { listing: self.contracts.get(contract), silent: self.silent }
    }

    /// Metadata of a contract.
    #[must_use]
    pub fn instrument(&self, contract: &ContractId) -> Option<&Instrument> {
        self.look(contract).instrument()
    }

    /// The usable price that values a position of this contract.
    #[must_use]
    pub fn price(&self, contract: &ContractId) -> Option<Price> {
        self.price_by(contract, Exposure::FLAT, PriceBasis::LastElseMid)
    }

    /// The usable price that values an exposure in this contract by a basis.
    #[must_use]
    pub fn price_by(&self, contract: &ContractId, held: Exposure, basis: PriceBasis) -> Option<Price> {
        self.look(contract).price_by(held, basis)
    }

    /// When the last quote of this contract arrived.
    #[must_use]
    pub fn heard(&self, contract: &ContractId) -> Option<Instant> {
        self.contracts.get(contract)?.quoted
    }

    /// Open result of a position; `None` without metadata or without a usable price.
    #[must_use]
    pub fn value(&self, position: &Position) -> Option<Usd> {
        self.worth(position, PriceBasis::LastElseMid).sure()
    }

    /// Open result of a position by a basis, with how sure it is.
    #[must_use]
    pub fn worth(&self, position: &Position, basis: PriceBasis) -> Worth {
        self.look(&position.contract).worth(position, basis)
    }
}

impl Listing {
    /// Nobody told of its price any more: what was heard before says nothing about now.
    fn forget_price(&mut self) {
        self.heard = Figures::default();
        self.trust = Trust::default();
    }

    /// The price that may value a position.
    fn price(&self, basis: PriceBasis, held: Exposure, silent: bool) -> Option<Price> {
        self.trust.price(basis, held).filter(|_| !silent && !self.lag.is_open())
    }

    fn hear(&mut self, quote: &Quote, now: Instant) -> Heard {
        self.quoted = Some(now);
        self.heard = self.heard.with(quote);
        let change = quote.at.and_then(|stamp| self.lag.hear(stamp, now));
        // A quote without a figure confirms nothing: what stands beside it may be half old, half wrong.
        let changed = Figures::are_told_by(quote) && self.trust.hear(self.heard, quote.at, now);
        Heard {
            evaluate: change.is_some() || (changed && self.pace.changed(now)),
            resumed: false,
            late: match change {
                Some(lag::Change::Opened(late)) => Some(late),
                Some(lag::Change::Closed) | None => None,
            },
            in_time: change == Some(lag::Change::Closed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stale bid beside an ask that is garbage is crossed; quotes that tell nothing must not make it a
    /// price.
    #[test]
    fn a_quote_without_a_figure_confirms_nothing() {
        let mut market = Market::default();
        let price = |text: &str| text.parse().ok().map(Price);
        let mut tell = |last, bid, ask, ms: i64| {
            let at = Instant::default() + TimeDelta::milliseconds(ms);
            market.learn_quote(&Quote { contract: "C".into(), last, bid, ask, at: Some(at) }, at);
            market.price(&"C".into()).map(|price| price.to_string())
        };
        tell(price("21000"), price("20999.75"), price("21000.25"), 0);
        assert_eq!(tell(None, None, price("0.25"), 10).as_deref(), Some("21000"));
        assert_eq!(tell(None, None, None, 20).as_deref(), Some("21000"));
        assert_eq!(tell(price("0"), None, None, 30).as_deref(), Some("21000"));
    }

    #[test]
    fn a_lost_stream_takes_all_prices_with_it() {
        let mut market = Market::default();
        let last = Some(Price(10.into()));
        let quote = Quote { contract: "C".into(), last, bid: None, ask: None, at: None };
        assert!(market.learn_quote(&quote, Instant::default()).evaluate);
        assert!(!market.learn_quote(&quote, Instant::default()).evaluate, "the same again changes nothing");
        market.connected(false, Instant::default());
        assert_eq!(market.price(&"C".into()), None);
    }
}
