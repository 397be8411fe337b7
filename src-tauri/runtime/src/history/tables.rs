//! The past as tables for spreadsheets.

use std::{
    fs::File,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use chrono::{DateTime, SecondsFormat};
use domain::{AccountId, TradingDay};
use serde::Serialize;
use thiserror::Error;
use views::{
    history::{AccountDay, History, PastReceipt},
    view::ReceiptOutcome,
};

/// Tables of one day in one folder; further ones are refused.
const MOST_COPIES: u32 = 100;

/// A table could not be written.
#[derive(Debug, Error)]
pub enum CsvError {
    /// A row could not be written.
    #[error(transparent)]
    Row(#[from] csv::Error),
    /// The last of it could not be written.
    #[error(transparent)]
    End(#[from] std::io::Error),
}

/// The days as a table, one account a row: for a spreadsheet.
///
/// # Errors
/// It cannot be written there.
pub fn days_csv(history: &History, to: impl std::io::Write) -> Result<(), CsvError> {
    let mut table = csv::Writer::from_writer(to);
    for day in &history.days {
        for account in &day.accounts {
            table.serialize(DayRow::of(day.day, account))?;
        }
    }
    Ok(table.flush()?)
}

/// The receipts as a table, oldest first: for a spreadsheet.
///
/// # Errors
/// It cannot be written there.
pub fn receipts_csv(history: &History, to: impl std::io::Write) -> Result<(), CsvError> {
    let mut table = csv::Writer::from_writer(to);
    for day in history.days.iter().rev() {
        for receipt in day.receipts.iter().rev() {
            table.serialize(ReceiptRow::of(day.day, receipt))?;
        }
    }
    Ok(table.flush()?)
}

/// Writes both tables into a folder under names that are free there. Gives their paths.
///
/// # Errors
/// The folder cannot be written.
pub fn export(history: &History, folder: &Path) -> Result<[PathBuf; 2], CsvError> {
    let day = history.days.first().map_or_else(String::new, |day| format!("-{}", day.day));
    let (days, file) = free_file(folder, &format!("risk-manager-days{day}"))?;
    days_csv(history, file)?;
    let (receipts, file) = free_file(folder, &format!("risk-manager-receipts{day}"))?;
    receipts_csv(history, file)?;
    Ok([days, receipts])
}

/// A table that somebody may have worked on is never written over.
fn free_file(folder: &Path, stem: &str) -> std::io::Result<(PathBuf, File)> {
    let mut number = 1;
    loop {
        let name = if number == 1 { format!("{stem}.csv") } else { format!("{stem}-{number}.csv") };
        let path = folder.join(name);
        match File::create_new(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < MOST_COPIES => number += 1,
            made => return made.map(|file| (path, file)),
        }
    }
}

/// Times are UTC, money is in dollars with a plain minus: what spreadsheets read.
#[derive(Serialize)]
struct DayRow<'a> {
    trading_day: TradingDay,
    account_id: &'a AccountId,
    account: &'a str,
    net: String,
    gross: String,
    fees: String,
    fees_estimated: bool,
    trades: u32,
    wins: u32,
    losses: u32,
    lowest: Option<String>,
    highest: Option<String>,
    breaches: u32,
    lockouts: usize,
    open: bool,
}

impl<'a> DayRow<'a> {
    fn of(day: TradingDay, account: &'a AccountDay) -> Self {
        Self {
            trading_day: day,
            account_id: &account.account,
            account: &account.name,
            net: cents(account.net),
            gross: cents(account.realized),
            fees: cents(account.fees),
            fees_estimated: account.fees_estimated,
            trades: account.trades,
            wins: account.wins,
            losses: account.losses,
            lowest: account.lowest.map(cents),
            highest: account.highest.map(cents),
            breaches: account.breaches,
            lockouts: account.lockouts.len(),
            open: account.is_open,
        }
    }
}

#[derive(Serialize)]
struct ReceiptRow<'a> {
    trading_day: TradingDay,
    time_utc: String,
    account_id: Option<&'a AccountId>,
    rule: &'a str,
    action: &'a str,
    outcome: ReceiptOutcome,
    reason: &'a str,
    done: Option<&'a str>,
    error: Option<&'a str>,
    detected_utc: Option<String>,
    sent_utc: Option<String>,
    acknowledged_utc: Option<String>,
    confirmed_utc: Option<String>,
    took_ms: Option<String>,
    past_limit: Option<String>,
    number: i64,
    hash: &'a str,
}

impl<'a> ReceiptRow<'a> {
    fn of(day: TradingDay, PastReceipt { receipt, hash, error }: &'a PastReceipt) -> Self {
        Self {
            trading_day: day,
            time_utc: utc(receipt.at),
            account_id: receipt.account.as_ref(),
            rule: &receipt.title,
            action: &receipt.action,
            outcome: receipt.outcome,
            reason: &receipt.reason,
            done: receipt.done.as_deref(),
            error: error.as_deref(),
            detected_utc: receipt.detected_at.map(utc),
            sent_utc: receipt.sent_at.map(utc),
            acknowledged_utc: receipt.acknowledged_at.map(utc),
            confirmed_utc: receipt.confirmed_at.map(utc),
            took_ms: receipt.latency_us.map(|us| format!("{}.{:03}", us / 1000, us % 1000)),
            past_limit: receipt.overshoot_usd.map(cents),
            number: receipt.seq,
            hash,
        }
    }
}

fn cents(amount: domain::Usd) -> String {
    amount.rounded().to_string()
}

fn utc(at: DateTime<chrono::Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
