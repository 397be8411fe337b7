//! `riskctl history`: past trading days, newest first. Reads the database, whether an engine runs or not.

use std::path::Path;

use runtime::{Home, history};
use views::{
    history::{HistoryQuery, Shown},
    text::money,
};

use crate::{args::History, exit::Failure, print};

/// Prints the days.
pub fn run(home: Option<&Path>, options: &History) -> Result<(), Failure> {
    let home = Home::find(home)?;
    let account = options.account.as_deref().map(Into::into);
    let query = HistoryQuery { days: options.days, account, rule: None, shown: Shown::All };
    let told = history::read(home.path(), &query)?;
    if options.csv {
        return history::days_csv(&told, std::io::stdout()).map_err(Failure::other);
    }
    let mut table = print::table(&["Day", "Account", "Net", "Fees", "Trades", "Crossed", "Lockouts"]);
    for day in &told.days {
        for account in &day.accounts {
            let running = if account.is_open { " (runs)" } else { "" };
            table.add_row([
                format!("{}{running}", day.day),
                account.name.clone(),
                money::signed(account.net),
                money::unsigned(account.fees),
                account.trades.to_string(),
                account.breaches.to_string(),
                account.lockouts.len().to_string(),
            ]);
        }
    }
    match told.days.is_empty() {
        true => print::line("No trading day is on record yet."),
        false => print::line(table),
    }
}
