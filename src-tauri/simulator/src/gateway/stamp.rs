//! Time stamps as the gateway writes them: UTC with `+00:00`, trailing zeros dropped, seven digits on
//! the hubs and six in REST (gateway reference 8.10).

use chrono::{DateTime, NaiveDate, NaiveDateTime, Timelike, Utc};
use domain::Instant;

/// Where a stamp is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Hub payloads: 100 ns.
    Hub,
    /// REST rows: microseconds, as the database keeps them.
    Rest,
}

/// The text of an instant.
#[must_use]
pub fn write(at: Instant, precision: Precision) -> String {
    let (digits, unit) = match precision {
        Precision::Hub => (7, 100),
        Precision::Rest => (6, 1_000),
    };
    let seconds = at.format("%Y-%m-%dT%H:%M:%S");
    let fraction = format!("{:0digits$}", at.nanosecond() % 1_000_000_000 / unit);
    match fraction.trim_end_matches('0') {
        "" => format!("{seconds}+00:00"),
        fraction => format!("{seconds}.{fraction}+00:00"),
    }
}

/// Reads what clients send: `Z`, an offset, or no zone at all (UTC).
#[must_use]
pub fn read(text: &str) -> Option<Instant> {
    let zoned = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    let naive = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|at| at.and_utc());
    let date =
        || NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| day.and_time(Default::default()).and_utc());
    zoned.or_else(|_| naive()).or_else(|_| date()).ok()
}

/// The value of an HTTP `Date` header.
#[must_use]
pub fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hubs_and_rest_print_the_same_instant_differently() {
        let at = read("2026-06-10T14:31:07.2041183Z").unwrap();
        assert_eq!(write(at, Precision::Hub), "2026-06-10T14:31:07.2041183+00:00");
        assert_eq!(write(at, Precision::Rest), "2026-06-10T14:31:07.204118+00:00");
        let whole = read("2026-06-10T16:31:07.500+02:00").unwrap();
        assert_eq!(write(whole, Precision::Hub), "2026-06-10T14:31:07.5+00:00");
        assert_eq!(write(read("2026-06-10").unwrap(), Precision::Rest), "2026-06-10T00:00:00+00:00");
        assert_eq!(read("2026-06-10T14:31:07"), read("2026-06-10T14:31:07Z"));
        assert_eq!(read("yesterday"), None);
    }

    #[test]
    fn http_dates_are_those_of_the_standard() {
        let at = read("2026-06-03T04:05:06Z").unwrap();
        assert_eq!(http_date(at), "Wed, 03 Jun 2026 04:05:06 GMT");
    }
}
