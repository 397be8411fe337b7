//! When trading is permitted: windows of wall-clock time, holidays and early closes turned into instants
//! (specification B.9). Pure; judges nothing.
//!
//! A window belongs to the local date of its start. On a holiday none starts. An early close cuts a
//! window that is open at that time, and takes away those of the same date that would start later; the
//! night session that begins after it stays.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, TimeDelta};
use domain::{
    Instant, Symbol, calendar,
    rulebook::{Holidays, SessionBlockOutside, SessionWindow},
};

/// How far the next start, and the last end, are looked for.
const SEARCHED: Days = Days::new(14);
/// Where no next start was found, it is looked for again after this time.
const SEARCH_AGAIN: TimeDelta = TimeDelta::hours(1);

/// Whether trading is permitted at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Inside a window.
    Open {
        /// When it ends; windows that touch count as one.
        until: Instant,
    },
    /// Outside all windows.
    Closed {
        /// When the last one ended; `None` if there was none in the last 14 days.
        since: Option<Instant>,
        /// When the next one starts; `None` if there is none in the next 14 days.
        until: Option<Instant>,
    },
}

/// The trading hours of one account, and how they stand.
#[derive(Clone, Debug)]
pub struct Sessions {
    settings: SessionBlockOutside,
    holidays: Holidays,
    phases: BTreeMap<Option<Symbol>, Phase>,
    next_look: Instant,
}

impl Phase {
    fn until(self) -> Option<Instant> {
        match self {
            Self::Open { until } => Some(until),
            Self::Closed { until, .. } => until,
        }
    }
}

impl Sessions {
    pub(crate) fn new(settings: &SessionBlockOutside, holidays: &Holidays, now: Instant) -> Self {
        let holidays = if settings.respect_holidays { holidays.clone() } else { Holidays::default() };
        let (settings, phases) = (settings.clone(), BTreeMap::new());
        let mut sessions = Self { settings, holidays, phases, next_look: Instant::MIN_UTC };
        sessions.refresh(now);
        sessions
    }

    /// Whether trading is permitted, by the hours of a symbol of its own or by the general ones.
    #[must_use]
    pub fn phase(&self, symbol: Option<&Symbol>) -> Phase {
        let own = symbol.and_then(|symbol| self.phases.get(&Some(symbol.clone())));
        own.or_else(|| self.phases.get(&None)).copied().unwrap_or(Phase::Closed { since: None, until: None })
    }

    /// The general hours first, then those of the symbols with hours of their own.
    pub fn phases(&self) -> impl Iterator<Item = (Option<&Symbol>, Phase)> {
        self.phases.iter().map(|(symbol, phase)| (symbol.as_ref(), *phase))
    }

    /// Symbols with hours of their own.
    pub fn symbols(&self) -> impl Iterator<Item = &Symbol> {
        self.settings.per_instrument.keys()
    }

    /// Whether entry orders are cancelled when the hours end.
    #[must_use]
    pub(crate) fn cancel_orders(&self) -> bool {
        self.settings.cancel_orders
    }

    /// When a window starts or ends next, or is to be looked for again.
    #[must_use]
    pub fn next_change(&self) -> Instant {
        self.next_look
    }

    /// Brings the phases up to `now`; true if one changed.
    pub(crate) fn refresh(&mut self, now: Instant) -> bool {
        if now < self.next_look {
            return false;
        }
        let own = self.settings.per_instrument.iter().map(|(symbol, it)| (Some(symbol.clone()), it));
        let phases: BTreeMap<Option<Symbol>, Phase> = own
            .chain([(None, &self.settings.windows)])
            .map(|(hours, windows)| (hours, self.at(windows, now)))
            .collect();
        let again = now + SEARCH_AGAIN;
        self.next_look = phases.values().map(|phase| phase.until().unwrap_or(again)).min().unwrap_or(again);
        let changed = phases != self.phases;
        self.phases = phases;
        changed
    }

    fn at(&self, windows: &[SessionWindow], now: Instant) -> Phase {
        let spans = self.spans(windows, now.with_timezone(&self.settings.timezone).date_naive());
        if let Some((_, end)) = spans.iter().find(|(start, end)| (*start..*end).contains(&now)) {
            let joined = spans.iter().fold(
                *end,
                |until, (start, end)| {
                    if (*start..*end).contains(&until) { *end } else { until }
                },
            );
            return Phase::Open { until: joined };
        }
        let since = spans.iter().map(|(_, end)| *end).filter(|end| *end <= now).max();
        let until = spans.iter().map(|(start, _)| *start).filter(|start| *start > now).min();
        Phase::Closed { since, until }
    }

    /// All windows that start up to 14 days before or after a date, in the order of their starts.
    fn spans(&self, windows: &[SessionWindow], today: NaiveDate) -> Vec<(Instant, Instant)> {
        let dates = (today - SEARCHED).iter_days().take_while(|date| *date <= today + SEARCHED);
        let mut spans: Vec<(Instant, Instant)> =
            dates.flat_map(|date| windows.iter().filter_map(move |window| self.span(window, date))).collect();
        spans.sort_unstable();
        spans
    }

    /// The window that starts on a date, if one does and is not empty.
    fn span(&self, window: &SessionWindow, date: NaiveDate) -> Option<(Instant, Instant)> {
        let weekday = u8::try_from(chrono::Datelike::weekday(&date).num_days_from_monday()).ok()?;
        if self.holidays.dates.contains(&date) || !window.days.contains(&weekday) {
            return None;
        }
        let overnight = window.end <= window.start;
        let last_date = if overnight { date + Days::new(1) } else { date };
        let instant =
            |date: NaiveDate, time| calendar::instant_of(date.and_time(time), self.settings.timezone);
        let start = instant(date, window.start);
        let mut end = instant(last_date, window.end);
        for (date, close) in self.holidays.early_closes.range(date..=last_date) {
            let close = instant(*date, *close);
            if close > start {
                end = end.min(close);
            } else if *date == last_date {
                return None;
            }
        }
        (start < end).then_some((start, end))
    }
}
