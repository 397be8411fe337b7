//! One value of a file, read as its type says: type first, then range. The answer is in the form in
//! which the domain serialises it. Never looks at other values.

mod lists;

use chrono::NaiveTime;
use domain::{Contracts, Symbol, Usd, products, rulebook::UnknownSymbol};
use rust_decimal::Decimal;
use serde_json::Value as Json;

use crate::{
    address,
    fault::{FaultKind, Place, nearest, shown},
    schema::{self, Kind, Sign, seconds_text},
    yaml::{Content, Node, Scalar},
};

use lists::{dates, days, early_closes, entries, patterns, percents, symbols, tier, window};

/// What is wrong with one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub kind: FaultKind,
    pub place: Place,
    pub problem: String,
    pub reason: String,
    pub nearest: Option<String>,
}

type Read<T> = Result<T, Box<Complaint>>;

impl Complaint {
    pub fn new(kind: FaultKind, node: &Node, problem: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            kind,
            place: node.place.clone(),
            problem: problem.into(),
            reason: String::new(),
            nearest: None,
        })
    }

    fn because(mut self: Box<Self>, reason: impl Into<String>) -> Box<Self> {
        self.reason = reason.into();
        self
    }
}

/// The value of a node.
pub(crate) fn value(kind: &Kind, node: &Node) -> Read<Json> {
    match kind {
        Kind::Bool => boolean(node).map(Json::from),
        Kind::AlwaysTrue(why) => match boolean(node)? {
            true => Ok(Json::from(true)),
            false => Err(Complaint::new(FaultKind::Range, node, "This can't be switched off.")
                .because(format!("It is always on: {why}."))),
        },
        Kind::Whole { min, max } => whole(node, *min, *max).map(Json::from),
        Kind::Money(sign) => money(node, *sign).map(|usd| schema::json(&usd)),
        Kind::Choice(words) => choice(node, words).map(Json::from),
        Kind::Only(word, why) => choice(node, &[word])
            .map(Json::from)
            .map_err(|told| told.because(format!("There is one: {why}."))),
        Kind::Duration { min, max } => duration(node, *min, *max).map(Json::from),
        Kind::Time => time(node).map(|time| schema::json(&time)),
        Kind::Zone => zone(node).map(|zone| schema::json(&zone)),
        Kind::Days => days(node).map(|days| schema::json(&days)),
        Kind::Percents => percents(node).map(|percents| schema::json(&percents)),
        Kind::Dates => dates(node).map(|dates| schema::json(&dates)),
        Kind::EarlyCloses => early_closes(node).map(|days| schema::json(&days)),
        Kind::Windows => entries(node, window),
        Kind::Tiers => entries(node, tier),
        Kind::Patterns => patterns(node).map(|patterns| schema::json(&patterns)),
        Kind::Symbols => symbols(node).map(|symbols| schema::json(&symbols)),
        Kind::UnlistedSymbols => unlisted(node).map(|action| schema::json(&action)),
        Kind::Text { longest } => text(node, *longest).map(Json::from),
        Kind::Secret => secret(node).map(Json::from),
        Kind::Url { hub } => address::read(scalar(node)?, *hub)
            .map(Json::from)
            .map_err(|problem| Complaint::new(FaultKind::Range, node, problem.what).because(problem.why)),
        Kind::AccountId => account_id(node).map(Json::from),
        Kind::Rules => Ok(Json::Null),
    }
}

/// What a value may be shown as: its text, or the reference it came by.
fn quoted(scalar: &Scalar) -> String {
    match &scalar.reference {
        Some(reference) => format!("the value of {reference}"),
        None => shown(&scalar.text),
    }
}

/// A scalar that says something.
pub(crate) fn scalar(node: &Node) -> Read<&Scalar> {
    match &node.content {
        Content::Scalar(scalar) if scalar.is_null() => {
            Err(Complaint::new(FaultKind::Type, node, "There is no value here."))
        }
        Content::Scalar(scalar) if scalar.text.trim().is_empty() => {
            Err(Complaint::new(FaultKind::Type, node, "The text is empty."))
        }
        Content::Scalar(scalar) if scalar.text.trim() != scalar.text => {
            Err(Complaint::new(FaultKind::Type, node, format!("{} has blanks at its ends.", quoted(scalar))))
        }
        Content::Scalar(scalar) => Ok(scalar),
        Content::List(_) => Err(Complaint::new(FaultKind::Type, node, "One value is expected, not a list.")),
        Content::Map(_) => Err(Complaint::new(FaultKind::Type, node, "One value is expected, not a map.")),
        Content::Bad => Err(Complaint::new(FaultKind::Type, node, "There is no value here.")),
    }
}

fn wrong(kind: FaultKind, node: &Node, scalar: &Scalar, what: &str) -> Box<Complaint> {
    Complaint::new(kind, node, format!("{} is not {what}.", quoted(scalar)))
}

fn boolean(node: &Node) -> Read<bool> {
    let scalar = scalar(node)?;
    match scalar.text.as_str() {
        "true" | "True" | "TRUE" => Ok(true),
        "false" | "False" | "FALSE" => Ok(false),
        _ => Err(wrong(FaultKind::Type, node, scalar, "true or false")
            .because("yes, no, on, off, 1 and 0 are not taken: each means something else somewhere.")),
    }
}

/// A decimal number: digits, one point, an exponent; ASCII only.
fn number(node: &Node) -> Read<Decimal> {
    let scalar = scalar(node)?;
    let text = scalar.text.as_str();
    if text.chars().any(|c| c.is_numeric() && !c.is_ascii()) {
        return Err(wrong(FaultKind::Type, node, scalar, "a number")
            .because("Digits are 0 to 9; these look like digits and are others."));
    }
    let read = match text.contains(['e', 'E']) {
        true => Decimal::from_scientific(text.trim_start_matches('+')),
        false => text.parse(),
    };
    match read {
        Ok(number) if text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c)) => Ok(number),
        Ok(_) | Err(_) => Err(wrong(FaultKind::Type, node, scalar, "a number")),
    }
}

fn whole(node: &Node, min: u32, max: u32) -> Read<u32> {
    let number = number(node)?;
    let scalar = scalar(node)?;
    if !number.fract().is_zero() {
        return Err(wrong(FaultKind::Type, node, scalar, "a whole number"));
    }
    u32::try_from(number)
        .ok()
        .filter(|count| (min..=max).contains(count))
        .ok_or_else(|| wrong(FaultKind::Range, node, scalar, &format!("in the range from {min} to {max}")))
}

fn money(node: &Node, sign: Sign) -> Read<Usd> {
    let amount = number(node)?;
    let scalar = scalar(node)?;
    let largest = Decimal::from(schema::LARGEST_AMOUNT);
    match sign {
        Sign::Loss if amount.is_zero() => Err(wrong(FaultKind::Range, node, scalar, "a loss")
            .because("A loss limit of zero would end the day before it begins.")),
        Sign::Loss if amount > Decimal::ZERO => Err(wrong(FaultKind::Range, node, scalar, "a loss")
            .because("Losses are negative: put a minus sign in front of the amount.")),
        Sign::Gain if amount <= Decimal::ZERO => {
            Err(wrong(FaultKind::Range, node, scalar, "a profit").because("A profit target lies above zero."))
        }
        _ if amount.abs() > largest => {
            Err(wrong(FaultKind::Range, node, scalar, &format!("within {largest} dollars")))
        }
        Sign::Loss | Sign::Gain => Ok(Usd(in_cents(amount))),
    }
}

/// The same amount with two decimals, or more where it has them: equal limits are written alike.
fn in_cents(amount: Decimal) -> Decimal {
    let mut amount = amount.normalize();
    amount.rescale(amount.scale().max(2));
    amount
}

fn choice(node: &Node, words: &[&'static str]) -> Read<&'static str> {
    let scalar = scalar(node)?;
    words.iter().copied().find(|word| *word == scalar.text).ok_or_else(|| {
        let mut told = wrong(FaultKind::Range, node, scalar, &one_of(words));
        told.nearest = nearest(&scalar.text, words.iter().copied()).map(ToString::to_string);
        if told.nearest.as_deref().is_some_and(|near| near.eq_ignore_ascii_case(&scalar.text)) {
            told.reason = "Capital and small letters count.".to_string();
        }
        told
    })
}

fn one_of(words: &[&str]) -> String {
    match words {
        [word] => (*word).to_string(),
        _ => format!("one of {}", words.join(", ")),
    }
}

fn duration(node: &Node, min: u32, max: u32) -> Read<u32> {
    let scalar = scalar(node)?;
    let text = scalar.text.as_str();
    let (digits, factor) = match text.chars().last() {
        Some('s') => (&text[..text.len() - 1], 1),
        Some('m') => (&text[..text.len() - 1], 60),
        Some('h') => (&text[..text.len() - 1], 3600),
        _ => (text, 1),
    };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain {
        let told = wrong(FaultKind::Type, node, scalar, "a duration");
        return Err(match text {
            "permanent" => told.because("Only blocked symbols are locked without an end."),
            "until_reset" | "until_session_start" => told
                .because("A cooldown has a length; only the day's and the session's locks end at an event."),
            _ => told,
        });
    }
    digits
        .parse::<u32>()
        .ok()
        .and_then(|count| count.checked_mul(factor))
        .filter(|seconds| (min..=max).contains(seconds))
        .ok_or_else(|| {
            let range = format!("in the range from {} to {}", seconds_text(min), seconds_text(max));
            wrong(FaultKind::Range, node, scalar, &range)
        })
}

fn time(node: &Node) -> Read<NaiveTime> {
    let scalar = scalar(node)?;
    let text = scalar.text.as_str();
    let shaped = text.len() == 5
        && text.bytes().enumerate().all(|(i, b)| if i == 2 { b == b':' } else { b.is_ascii_digit() });
    let told = wrong(FaultKind::Type, node, scalar, "a time of day");
    if !shaped {
        return Err(told);
    }
    NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| match text {
        "24:00" => told.because("A day ends where the next begins: midnight is 00:00."),
        _ => told,
    })
}

fn zone(node: &Node) -> Read<chrono_tz::Tz> {
    let scalar = scalar(node)?;
    scalar.text.parse().map_err(|_| {
        let mut told = wrong(FaultKind::Range, node, scalar, "an IANA time zone");
        let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        told.nearest =
            meant_by(&scalar.text).or_else(|| nearest(&scalar.text, names)).map(ToString::to_string);
        told
    })
}

/// The zone whose everyday name this is: no zone is spelt like it, or one on the other side of the world.
fn meant_by(text: &str) -> Option<&'static str> {
    match text.to_ascii_uppercase().as_str() {
        "CT" | "CST" | "CDT" | "CENTRAL" | "CHICAGO" => Some("America/Chicago"),
        "ET" | "EDT" | "EASTERN" | "NEW YORK" => Some("America/New_York"),
        "MT" | "MDT" | "MOUNTAIN" => Some("America/Denver"),
        "PT" | "PST" | "PDT" | "PACIFIC" => Some("America/Los_Angeles"),
        _ => None,
    }
}

/// A root symbol by any of its names: `ENQ` and `nq` are `NQ`.
pub(crate) fn symbol(text: &str) -> Option<Symbol> {
    let legal = (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    legal.then(|| match products::find(text) {
        Some(product) => product.symbol.clone(),
        None => Symbol::new(text.to_ascii_uppercase()),
    })
}

fn unlisted(node: &Node) -> Read<UnknownSymbol> {
    let scalar = scalar(node)?;
    match scalar.text.as_str() {
        "use_default" => Ok(UnknownSymbol::UseDefault),
        "block" => Ok(UnknownSymbol::Block),
        "allow_unlimited" => Ok(UnknownSymbol::AllowUnlimited),
        text => text
            .strip_prefix("allow_with_limit:")
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .filter(|limit| (1..=1000).contains(limit))
            .map(|limit| UnknownSymbol::AllowWithLimit(Contracts(limit)))
            .ok_or_else(|| {
                let words = ["use_default", "block", "allow_unlimited", "allow_with_limit:2"];
                let mut told = wrong(FaultKind::Range, node, scalar, "one of the choices");
                told.nearest = nearest(text, words).map(ToString::to_string);
                told
            }),
    }
}

fn text(node: &Node, longest: usize) -> Read<String> {
    let scalar = scalar(node)?;
    let count = scalar.text.chars().count();
    if count > longest {
        let problem = format!("The text has {count} characters; {longest} are allowed.");
        return Err(Complaint::new(FaultKind::Range, node, problem));
    }
    if scalar.text.chars().any(char::is_control) {
        return Err(wrong(FaultKind::Range, node, scalar, "text without control characters"));
    }
    Ok(scalar.text.clone())
}

fn secret(node: &Node) -> Read<String> {
    let scalar = scalar(node)?;
    let whole =
        |text: &String| text.starts_with("${") && text.ends_with('}') && text.matches("${").count() == 1;
    match scalar.reference.as_ref().filter(|text| whole(text)) {
        Some(_) => Ok(scalar.text.clone()),
        None => Err(Complaint::new(FaultKind::Secret, node, "A secret stands in this file.")
            .because("Files are copied, synchronised and shown to others; secrets are not kept in them.")),
    }
}

fn account_id(node: &Node) -> Read<String> {
    let scalar = scalar(node)?;
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if scalar.text.len() <= 40 && scalar.text.chars().all(legal) {
        return Ok(scalar.text.clone());
    }
    Err(wrong(FaultKind::Range, node, scalar, "an account id")
        .because("The id is the broker's number; the display name, such as PRAC-V2-..., belongs in `name`."))
}
