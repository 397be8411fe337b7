//! Tables and lines for people. Nothing else in this program writes to standard output.

use std::{
    fmt::{Arguments, Display},
    io::{self, Write},
    sync::OnceLock,
};

use chrono_tz::Tz;
use comfy_table::{ContentArrangement, Table, presets};
use domain::{Instant, Usd};
use runtime::Home;
use views::text::{Zones, money, time};

use crate::exit::Failure;

/// The zone that the settings of the home name, if this command has one.
static CHOSEN: OnceLock<Tz> = OnceLock::new();

/// Shows times as the settings of a home ask for, from now on.
pub fn show_times_of(home: &Home) {
    let environment = |name: &str| std::env::var(name).ok();
    let _ = CHOSEN.set(config::glance(&home.config(), &environment).general.timezone);
}

/// Zones of whoever reads the terminal.
pub fn zones() -> Zones {
    CHOSEN.get().map_or_else(zones_of_computer, |zone| zones_of_computer().or_chosen(*zone))
}

/// As this computer is set.
pub fn zones_of_computer() -> Zones {
    let local = iana_time_zone::get_timezone().ok().and_then(|name| name.parse().ok());
    local.map_or(Zones::CENTRAL, Zones::of_computer)
}

/// A plain table with a heading.
pub fn table(heading: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(heading.iter().map(|title| title.to_string()));
    table
}

/// A P&L figure, or a dash where it is unknown.
pub fn pnl(amount: Option<Usd>) -> String {
    amount.map_or_else(|| "unknown".to_string(), money::signed)
}

/// When something ends, and in how long.
pub fn until(at: Option<Instant>, now: Instant) -> String {
    at.map_or_else(|| "no time limit".to_string(), |at| time::ahead(at, now, zones()))
}

/// One JSON value on a line of its own.
pub fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    line(serde_json::to_string(value).map_err(Failure::other)?)
}

/// Text with the end of a line.
pub fn line(text: impl Display) -> Result<(), Failure> {
    write(format_args!("{text}\n"))
}

/// Text that is answered on the same line.
pub fn question(text: impl Display) -> Result<(), Failure> {
    write(format_args!("{text}"))
}

/// What is made elsewhere, as it is.
pub fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    output.write_all(bytes).and_then(|()| output.flush()).map_err(Failure::output)
}

/// A remark beside the output, on standard error; nobody needs to read it.
pub fn remark(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "riskctl: {text}");
}

fn write(text: Arguments<'_>) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    output.write_fmt(text).and_then(|()| output.flush()).map_err(Failure::output)
}
