//! Dollars for people: a true minus, comma thousands, two decimals.

use domain::Usd;
use rust_decimal::Decimal;

/// Minus as typesetters write it; a hyphen is too short to be seen beside a dollar sign.
const MINUS: char = '\u{2212}';

/// Profit and loss, and limits: always signed, zero unsigned. `−$312.50`, `+$35.00`, `$0.00`.
#[must_use]
pub fn signed(amount: Usd) -> String {
    let cents = amount.rounded();
    let sign = match cents {
        zero if zero.is_zero() => String::new(),
        negative if negative.is_sign_negative() => MINUS.to_string(),
        _ => "+".to_owned(),
    };
    format!("{sign}{}", unsigned(amount))
}

/// Headroom, distances, what is past a limit: without a sign. `$187.50`.
#[must_use]
pub fn unsigned(amount: Usd) -> String {
    let cents = amount.rounded().abs().to_string();
    let (dollars, fraction) = cents.split_once('.').unwrap_or((&cents, "00"));
    format!("${}.{fraction}", grouped(dollars))
}

/// As [`signed`], without the cents of a whole amount: limits in messages. `−$500`.
#[must_use]
pub fn short(amount: Usd) -> String {
    let text = signed(amount);
    text.strip_suffix(".00").map_or(text.clone(), str::to_owned)
}

/// Used share of a limit in percent, rounded up so that it never looks better than it is.
#[must_use]
pub fn used_percent(value: Usd, limit: Usd) -> u32 {
    let (value, limit) = (value.0.abs(), limit.0.abs());
    if limit.is_zero() {
        return 100;
    }
    let share = (value * Decimal::ONE_HUNDRED / limit).ceil();
    u32::try_from(share).unwrap_or(u32::MAX)
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Usd {
        Usd(text.parse().unwrap())
    }

    #[test]
    fn profit_and_loss_always_carry_their_sign() {
        assert_eq!(signed(usd("-312.5")), "−$312.50");
        assert_eq!(signed(usd("35")), "+$35.00");
        assert_eq!(signed(usd("1234567.891")), "+$1,234,567.89");
        assert_eq!(signed(usd("-1000")), "−$1,000.00");
    }

    #[test]
    fn zero_has_no_sign_even_after_rounding() {
        assert_eq!(signed(usd("0")), "$0.00");
        assert_eq!(signed(usd("-0.004")), "$0.00");
    }

    #[test]
    fn headroom_has_no_sign_and_whole_limits_have_no_cents() {
        assert_eq!(unsigned(usd("-187.5")), "$187.50");
        assert_eq!(short(usd("-500")), "−$500");
        assert_eq!(short(usd("-512.5")), "−$512.50");
    }

    #[test]
    fn used_share_is_rounded_up() {
        assert_eq!(used_percent(usd("-412.5"), usd("-500")), 83);
        assert_eq!(used_percent(usd("-375"), usd("-500")), 75);
        assert_eq!(used_percent(usd("-0.01"), usd("-500")), 1);
        assert_eq!(used_percent(usd("0"), usd("-500")), 0);
    }
}
