//! How values stand in columns: the one place where domain values become SQL values and back.
//!
//! Instants have one text form of fixed length, so that the order of the text is the order in time; they
//! are still compared as instants wherever Rust does it (L-37).

use std::str::FromStr;

use chrono::{SecondsFormat, SubsecRound, TimeDelta};
use domain::{Instant, Usd};
use rusqlite::{
    Error, Row,
    types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef},
};
use rust_decimal::Decimal;
use serde::{Serialize, de::DeserializeOwned};

/// An instant: ISO-8601 UTC with six digits of a second and `Z`. What is below a microsecond is cut.
pub(crate) struct At(pub Instant);

/// A value as JSON text.
pub(crate) struct Json<T>(pub T);

/// A plain enum as its one word, the same as in JSON.
pub(crate) struct Word<T>(pub T);

/// A text identifier.
pub(crate) struct Id<T>(pub T);

/// An exact decimal as text.
pub(crate) struct Exact(pub Decimal);

/// The text form of an instant.
pub(crate) fn text_of(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A value as JSON.
pub(crate) fn json_text<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| Error::ToSqlConversionFailure(error.into()))
}

/// The one word of a plain enum, as in JSON without the quotes.
pub(crate) fn word_text<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    Ok(json_text(value)?.trim_matches('"').to_owned())
}

/// The next whole microsecond: what is stored as the end of a lockout never lies before the real end.
pub(crate) fn rounded_up(at: Instant) -> Instant {
    let cut = at.trunc_subsecs(6);
    if cut == at { at } else { cut + TimeDelta::microseconds(1) }
}

/// Millionths of a dollar, rounded; for columns that are integers by the specification.
pub(crate) fn micros(amount: Usd) -> i64 {
    i64::try_from((amount.0 * Decimal::from(1_000_000)).round()).unwrap_or(i64::MAX)
}

/// Whole cents, half away from zero; the widest amounts are held at the ends of the range.
pub(crate) fn cents(amount: Usd) -> i64 {
    let cents = amount.rounded().mantissa();
    i64::try_from(cents).unwrap_or(if cents < 0 { i64::MIN } else { i64::MAX })
}

/// An amount of money that may be unknown, from a column with its exact text.
pub(crate) fn amount(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Usd>> {
    Ok(row.get::<_, Option<Exact>>(column)?.map(|amount| Usd(amount.0)))
}

/// An instant that may be unknown.
pub(crate) fn moment(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Instant>> {
    Ok(row.get::<_, Option<At>>(column)?.map(|at| at.0))
}

/// Text that a REAL column turns into a number rounded to cents.
pub(crate) fn dollars(amount: Usd) -> String {
    amount.rounded().to_string()
}

impl ToSql for At {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(text_of(self.0).into())
    }
}

impl FromSql for At {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Instant::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(json_text(&self.0)?.into())
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

impl<T: Serialize> ToSql for Word<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(word_text(&self.0)?.into())
    }
}

impl<T: DeserializeOwned> FromSql for Word<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = serde_json::Value::from(value.as_str()?);
        serde_json::from_value(word).map(Self).map_err(FromSqlError::other)
    }
}

impl<T: for<'a> From<&'a str>> FromSql for Id<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Self(T::from(value.as_str()?)))
    }
}

impl ToSql for Exact {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.to_string().into())
    }
}

impl FromSql for Exact {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Decimal::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn instants_have_one_length_and_their_order_is_the_order_of_the_text() {
        let instants = ["2026-03-02T14:30:00Z", "2026-03-02T14:30:00.5Z", "2026-03-02T14:30:00.500001Z"];
        let texts = instants.map(|text| text_of(utc(text)));
        assert_eq!(texts[0], "2026-03-02T14:30:00.000000Z");
        assert!(texts.is_sorted() && texts.iter().all(|text| text.len() == texts[0].len()));
        assert_eq!(text_of(utc("2026-03-02T08:30:00-06:00")), texts[0]);
    }

    #[test]
    fn an_end_is_never_stored_too_early() {
        assert_eq!(rounded_up(utc("2026-03-02T14:30:00.0000001Z")), utc("2026-03-02T14:30:00.000001Z"));
        assert_eq!(rounded_up(utc("2026-03-02T14:30:00.000001Z")), utc("2026-03-02T14:30:00.000001Z"));
    }

    #[test]
    fn cents_are_rounded_like_the_display() {
        let usd = |text: &str| Usd(text.parse().unwrap());
        assert_eq!(cents(usd("-15.625")), -1563);
        assert_eq!(cents(usd("3")), 300);
        assert_eq!(cents(usd("79228162514264337593543950335")), i64::MAX);
        assert_eq!(dollars(usd("-15.625")), "-15.63");
    }
}
