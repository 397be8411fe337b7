//! The tray as plain values: icon, menu lines and tooltip are functions of the view.
//!
//! Equal values need not be drawn again. Holds no state and draws nothing.

use domain::{Instant, RuleKey, Usd};

use crate::{
    sight::Sight,
    text::{Zones, money, time, words},
    view::{AccountView, Gauge, LockoutView, Protection, Unit, View},
};

/// At most so many accounts have a line of their own; the window shows all.
pub const MAX_ACCOUNT_LINES: usize = 6;
/// At most so many lockouts have a line of their own; the window shows all.
pub const MAX_LOCKOUT_LINES: usize = 6;

/// The picture in the tray. Each has a silhouette of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// Solid shield with a check mark.
    Armed,
    /// Shield with a triangle as its corner.
    NearLimit,
    /// Padlock with the shield's foot.
    Locked,
    /// Hollow shield, slashed.
    NotProtected,
    /// Eye.
    Observing,
    /// Dashed shield: the first seconds after a start.
    Starting,
}

/// What a menu entry does. A single click never sends anything to the broker: the three deeds open a
/// page that asks once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MenuAction {
    /// Open the status page.
    OpenStatus,
    /// Open the trader's own rules.
    OpenSettings,
    /// Open past trading days.
    OpenHistory,
    /// Open the set-up page.
    OpenSetup,
    /// Ask whether to close everything.
    FlattenAll,
    /// Ask whether to cancel all working orders.
    CancelAll,
    /// Ask until when to lock out.
    LockOutUntil,
    /// Ask whether to lock out until the daily reset.
    DoneForTheDay,
    /// Ask whether to end the program.
    Quit,
}

/// One entry that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuItem {
    /// What it does.
    pub action: MenuAction,
    /// Its text.
    pub label: &'static str,
    /// It can be chosen now.
    pub enabled: bool,
}

/// The whole menu, from top to bottom. The first lines cannot be chosen: on Linux they stand in for the
/// tooltip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Menu {
    /// The state, and its one figure.
    pub state: String,
    /// Why, or what comes next.
    pub detail: String,
    /// The day's result over all accounts; where there is one account, its line tells it.
    pub today: Option<String>,
    /// One line an account, at most [`MAX_ACCOUNT_LINES`].
    pub accounts: Vec<String>,
    /// One line a lockout with its countdown, at most [`MAX_LOCKOUT_LINES`], the strongest first.
    pub lockouts: Vec<String>,
    /// Pages, deeds, end; in this order.
    pub items: [MenuItem; 9],
}

impl Menu {
    /// The lines below state and detail, which come and go with accounts and lockouts.
    pub fn lines(&self) -> impl Iterator<Item = &String> {
        self.today.iter().chain(&self.accounts).chain(&self.lockouts)
    }
}

/// Not protected, locked, near, armed, observing: the worst truth wins.
#[must_use]
pub fn icon(view: &View) -> Icon {
    match view.protection {
        Protection::NotProtected if view.starting => Icon::Starting,
        Protection::NotProtected => Icon::NotProtected,
        Protection::Locked => Icon::Locked,
        Protection::Armed if view.near_limit => Icon::NearLimit,
        Protection::Armed => Icon::Armed,
        Protection::Observing => Icon::Observing,
    }
}

/// The menu of a view.
#[must_use]
pub fn menu(view: &View, now: Instant, zones: Zones) -> Menu {
    let (state, detail) = lines(view, now, view.zones(zones));
    let accounts =
        view.accounts.iter().take(MAX_ACCOUNT_LINES).map(|account| account_line(account, now)).collect();
    let (today, lockouts) = (today(view), lockouts(view, now));
    Menu { state, detail, today, accounts, lockouts, items: items(Possible::of(view)) }
}

/// Icon and menu of what a viewer knows. A lost engine shows no figure that could be untrue by now.
#[must_use]
pub fn of(sight: &Sight, zones: Zones) -> (Icon, Menu) {
    let silent = |state: String, detail: &str| Menu {
        state,
        detail: detail.to_owned(),
        today: None,
        accounts: Vec::new(),
        lockouts: Vec::new(),
        items: items(Possible::default()),
    };
    match (sight, sight.now()) {
        (Sight::Live { view, .. }, now) => (icon(view), menu(view, now.unwrap_or(view.at), zones)),
        (Sight::Connecting { .. }, _) => {
            (Icon::Starting, silent("Not protected yet".to_owned(), "Waiting for the engine"))
        }
        (Sight::Lost { view, .. }, now) => {
            let since = view.as_ref().zip(now).map(|(view, now)| time::event(view.at, now));
            let since = since.map(|since| format!(" since {since}")).unwrap_or_default();
            (Icon::NotProtected, silent(format!("Not protected{since}"), "The engine does not answer"))
        }
    }
}

/// What is shown under the pointer where the system can; the menu's first lines and the day's result.
#[must_use]
pub fn tooltip(menu: &Menu) -> String {
    let head = format!("Risk Manager: {}", menu.state);
    let lines = [head, menu.detail.clone()].into_iter().chain(menu.lines().cloned());
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Which deeds make sense. A control that looks alive without a connection would be a lie.
#[derive(Clone, Copy, Default)]
struct Possible {
    flatten: bool,
    cancel: bool,
    done: bool,
}

impl Possible {
    fn of(view: &View) -> Self {
        let reachable = view.can_send();
        let any = |test: fn(&AccountView) -> bool| view.accounts.iter().any(test);
        Self {
            flatten: reachable && any(|account| !account.positions.is_empty() || !account.orders.is_empty()),
            cancel: reachable && any(|account| !account.orders.is_empty()),
            done: reachable && any(|account| !account.is_hard_locked()),
        }
    }
}

fn items(possible: Possible) -> [MenuItem; 9] {
    let item = |action, label, enabled| MenuItem { action, label, enabled };
    [
        item(MenuAction::OpenStatus, "Open Status", true),
        item(MenuAction::OpenSettings, "Risk Settings", true),
        item(MenuAction::OpenHistory, "History", true),
        item(MenuAction::OpenSetup, "Setup", true),
        item(MenuAction::FlattenAll, "Flatten All…", possible.flatten),
        item(MenuAction::CancelAll, "Cancel All…", possible.cancel),
        item(MenuAction::LockOutUntil, "Lock me out until…", possible.done),
        item(MenuAction::DoneForTheDay, "Done for the day…", possible.done),
        item(MenuAction::Quit, "Quit…", true),
    ]
}

/// State with its figure, and the line below.
fn lines(view: &View, now: Instant, zones: Zones) -> (String, String) {
    match icon(view) {
        Icon::Starting => {
            ("Not protected yet".to_owned(), format!("Waiting for the first answer from {}", view.broker))
        }
        Icon::NotProtected => {
            let since = time::event(view.since, now);
            (format!("Not protected since {since}"), why(view))
        }
        Icon::Locked => locked_lines(view, now, zones),
        Icon::NearLimit => near_lines(view),
        Icon::Armed => armed_lines(view),
        Icon::Observing => observing_lines(view),
    }
}

fn why(view: &View) -> String {
    let text = view.doubts.first().map(|doubt| doubt.text.as_str()).or(view.reason.as_deref());
    text.unwrap_or_default().trim_end_matches('.').to_owned()
}

fn locked_lines(view: &View, now: Instant, zones: Zones) -> (String, String) {
    let Some((_, lockout)) = strongest(view) else {
        return ("Locked".to_owned(), why(view));
    };
    let state = match lockout.until {
        Some(until) => {
            let local = zones.local_clock(until).map(|local| format!("{local}, ")).unwrap_or_default();
            let left = match time::countdown_minutes(until - now) {
                ending if until <= now => ending,
                left => format!("in {left}"),
            };
            format!("Locked until {} ({local}{left})", time::schedule(until, now))
        }
        None => "Locked".to_owned(),
    };
    // A figure follows its rule without a comma; the trader's own word is no figure.
    let comma = if lockout.rule == RuleKey::Trader { "," } else { "" };
    let except = lockout.except.as_ref().map(|except| format!(", {except}")).unwrap_or_default();
    (state, format!("{}{comma} {}{except}", lockout.title, lockout.reason.trim_end_matches('.')))
}

fn near_lines(view: &View) -> (String, String) {
    let nearest = view
        .accounts
        .iter()
        .filter(|account| account.near_limit)
        .flat_map(|account| &account.gauges)
        .filter(|gauge| gauge.is_near())
        .max_by_key(|gauge| gauge.used_percent);
    let Some(gauge) = nearest else {
        return ("Armed · near limit".to_owned(), watched(view));
    };
    let left = left_of(gauge).map(|left| format!(" · {left}")).unwrap_or_default();
    let used = gauge.used_percent.map(|percent| format!(", {percent} % used")).unwrap_or_default();
    (format!("Armed · near limit{left}"), format!("{}{used}", gauge.title))
}

fn armed_lines(view: &View) -> (String, String) {
    let armed = || view.accounts.iter().filter(|account| account.protection == Protection::Armed);
    let money = armed().filter_map(|account| Some((account.headroom.usd?, account.headroom.rule?)));
    if let Some((usd, rule)) = money.min_by_key(|(usd, _)| *usd) {
        let bites = format!("{} bites first", words::title(rule));
        return (format!("Armed · {} left", money::unsigned(usd)), bites);
    }
    (format!("Armed{}", contracts_left(armed())), watched(view))
}

fn contracts_left<'a>(accounts: impl Iterator<Item = &'a AccountView>) -> String {
    let fewest = accounts.filter_map(|account| account.headroom.contracts).min();
    fewest.map(|left| format!(" · {} left", words::count(left, "contract"))).unwrap_or_default()
}

fn watched(view: &View) -> String {
    let accounts = u32::try_from(view.accounts.len()).unwrap_or(u32::MAX);
    format!("{} watched", words::count(accounts, "account"))
}

fn observing_lines(view: &View) -> (String, String) {
    let times: u32 = view.accounts.iter().map(|account| account.observed_today).sum();
    let detail = match times {
        0 => "Would not have acted today".to_owned(),
        _ => format!("Would have acted {} today", words::count(times, "time")),
    };
    ("Observing · limits not enforced".to_owned(), detail)
}

/// `Today's P&L: −$128.50, 2 accounts`; unknown as soon as one account's is.
fn today(view: &View) -> Option<String> {
    if view.accounts.len() < 2 {
        return None;
    }
    let stale = view.protection == Protection::NotProtected;
    let nets = view.accounts.iter().map(|account| account.net.filter(|_| !stale));
    let sum = nets.sum::<Option<Usd>>().map_or_else(|| "unknown".to_owned(), money::signed);
    Some(format!("Today's P&L: {sum}, {} accounts", view.accounts.len()))
}

/// `Locked by Daily Loss Limit, 50KTC-V2-…5101: 2h 14m`; at most a minute old.
fn lockouts(view: &View, now: Instant) -> Vec<String> {
    let mut all: Vec<_> = view
        .accounts
        .iter()
        .flat_map(|account| account.lockouts.iter().map(move |it| (account, it)))
        .collect();
    all.sort_by_key(|(_, it)| std::cmp::Reverse((it.kind, it.until.is_none(), it.until)));
    let line = |(account, lockout): (&AccountView, &LockoutView)| {
        let whose = if view.accounts.len() > 1 { format!(", {}", account.short_name) } else { String::new() };
        let left = lockout.until.map_or_else(
            || "no time limit".to_owned(),
            |until| if until <= now { "ending…".to_owned() } else { time::countdown_minutes(until - now) },
        );
        format!("Locked by {}{whose}: {left}", lockout.title)
    };
    all.into_iter().take(MAX_LOCKOUT_LINES).map(line).collect()
}

/// `50KTC-V2-…5101: −$312.50, $187.50 left`.
fn account_line(account: &AccountView, now: Instant) -> String {
    let net = account.net.map_or_else(|| "net unknown".to_owned(), money::signed);
    let state = match account.protection {
        Protection::NotProtected => "last known, not protected".to_owned(),
        Protection::Locked => match account.account_lock().and_then(|lockout| lockout.until) {
            Some(until) => format!("locked until {}", time::schedule(until, now)),
            None => "locked".to_owned(),
        },
        Protection::Armed | Protection::Observing => headroom(account),
    };
    format!("{}: {net}, {state}", account.short_name)
}

fn headroom(account: &AccountView) -> String {
    let observed = if account.protection == Protection::Observing { ", observed" } else { "" };
    match (account.headroom.usd, account.headroom.contracts) {
        (Some(left), _) if left <= Usd::ZERO => format!("limit reached{observed}"),
        (Some(usd), _) => format!("{} left{observed}", money::unsigned(usd)),
        (None, Some(contracts)) => format!("{} left{observed}", words::count(contracts, "contract")),
        (None, None) => "headroom unknown".to_owned(),
    }
}

fn left_of(gauge: &Gauge) -> Option<String> {
    let left = gauge.left?;
    Some(match gauge.unit {
        Unit::Usd => format!("{} left", money::unsigned(Usd(left))),
        Unit::Contracts => format!("{} contracts left", left.normalize()),
        Unit::Trades => format!("{} trades left", left.normalize()),
    })
}

/// The lockout that decides the icon: account-wide, and of those the latest end.
fn strongest(view: &View) -> Option<(&AccountView, &LockoutView)> {
    view.accounts
        .iter()
        .filter_map(|account| Some((account, account.account_lock()?)))
        .max_by_key(|(_, lockout)| (lockout.kind, lockout.until.is_none(), lockout.until))
}

#[cfg(test)]
mod tests;
