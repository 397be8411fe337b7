//! What the gateway's error codes mean. The same number means different things per endpoint (gateway
//! reference 2.2), and the text of a refusal says more than its number (2.3).

use domain::broker::{CallError, Refusal};

use crate::{
    mask::masked,
    wire::code::{
        BarsError, CancelError, CloseError, ModifyError, PartialCloseError, PlaceError, UnknownCode,
    },
};

/// Endpoints that share a table of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Search,
    Contract,
    Bars,
    Close,
    PartialClose,
    Cancel,
    Modify,
    Place,
}

/// What a code is called, and what it means here.
struct Meaning {
    name: String,
    kind: Kind,
}

enum Kind {
    NotFound,
    Refused(Refusal),
}

const MARKET_CLOSED: &str = "not in an active trading status";
const NOT_PERMITTED: [&str; 2] = ["live accounts not supported", "follower accounts cannot"];

/// The error of a refused call.
pub(super) fn meaning(verb: Verb, code: i64, message: Option<&str>) -> CallError {
    let message = message.map(str::trim).filter(|text| !text.is_empty());
    let Meaning { name, kind } = by_code(verb, code, message.is_some());
    let said = message.and_then(by_text);
    match (said, kind) {
        (None, Kind::NotFound) => CallError::NotFound,
        (Some(kind), _) | (None, Kind::Refused(kind)) => {
            CallError::Refused { code, text: message.map_or(name, masked), kind }
        }
    }
}

fn by_text(message: &str) -> Option<Refusal> {
    let message = message.to_ascii_lowercase();
    if message.contains(MARKET_CLOSED) {
        Some(Refusal::MarketClosed)
    } else if NOT_PERMITTED.iter().any(|text| message.contains(text)) {
        Some(Refusal::NotPermitted)
    } else {
        None
    }
}

fn by_code(verb: Verb, code: i64, has_message: bool) -> Meaning {
    let meaning = match verb {
        Verb::Search => Ok(plain(if code == 1 { "AccountNotFound" } else { "refused" })),
        Verb::Contract if code == 1 => Ok(named("ContractNotFound", Refusal::Contract)),
        Verb::Contract => Ok(plain("refused")),
        Verb::Bars => BarsError::try_from(code).map(bars),
        Verb::Close => CloseError::try_from(code).map(close),
        Verb::PartialClose => PartialCloseError::try_from(code).map(|code| partial_close(code, has_message)),
        Verb::Cancel => CancelError::try_from(code).map(cancel),
        Verb::Modify => ModifyError::try_from(code).map(modify),
        Verb::Place => PlaceError::try_from(code).map(place),
    };
    meaning.unwrap_or_else(|unknown: UnknownCode| plain(unknown.to_string()))
}

fn bars(code: BarsError) -> Meaning {
    let name = format!("{code:?}");
    match code {
        BarsError::ContractNotFound => named(name, Refusal::Contract),
        BarsError::Success
        | BarsError::UnitInvalid
        | BarsError::UnitNumberInvalid
        | BarsError::LimitInvalid => plain(name),
    }
}

fn close(code: CloseError) -> Meaning {
    let name = format!("{code:?}");
    match code {
        CloseError::PositionNotFound => not_found(name),
        CloseError::ContractNotFound | CloseError::ContractNotActive => named(name, Refusal::Contract),
        CloseError::AccountRejected => named(name, Refusal::NotPermitted),
        CloseError::Success
        | CloseError::AccountNotFound
        | CloseError::OrderRejected
        | CloseError::OrderPending
        | CloseError::UnknownError => plain(name),
    }
}

fn partial_close(code: PartialCloseError, has_message: bool) -> Meaning {
    let name = format!("{code:?}");
    match code {
        PartialCloseError::PositionNotFound => not_found(name),
        PartialCloseError::ContractNotFound | PartialCloseError::ContractNotActive => {
            named(name, Refusal::Contract)
        }
        PartialCloseError::InvalidCloseSize => named(name, Refusal::Size),
        // Documented for a closed or halted market, or one without a price; then it carries no text.
        PartialCloseError::OrderRejected if !has_message => named(name, Refusal::MarketClosed),
        PartialCloseError::AccountRejected => named(name, Refusal::NotPermitted),
        PartialCloseError::Success
        | PartialCloseError::AccountNotFound
        | PartialCloseError::OrderRejected
        | PartialCloseError::OrderPending
        | PartialCloseError::UnknownError => plain(name),
    }
}

fn cancel(code: CancelError) -> Meaning {
    let name = format!("{code:?}");
    match code {
        CancelError::OrderNotFound => not_found(name),
        CancelError::AccountRejected => named(name, Refusal::NotPermitted),
        CancelError::Success
        | CancelError::AccountNotFound
        | CancelError::Rejected
        | CancelError::Pending
        | CancelError::UnknownError => plain(name),
    }
}

fn modify(code: ModifyError) -> Meaning {
    let name = format!("{code:?}");
    match code {
        ModifyError::OrderNotFound => not_found(name),
        ModifyError::AccountRejected => named(name, Refusal::NotPermitted),
        ModifyError::ContractNotFound => named(name, Refusal::Contract),
        ModifyError::Success
        | ModifyError::AccountNotFound
        | ModifyError::Rejected
        | ModifyError::Pending
        | ModifyError::UnknownError => plain(name),
    }
}

fn place(code: PlaceError) -> Meaning {
    let name = format!("{code:?}");
    match code {
        PlaceError::OutsideTradingHours => named(name, Refusal::MarketClosed),
        PlaceError::ContractNotFound | PlaceError::ContractNotActive => named(name, Refusal::Contract),
        PlaceError::AccountViolation | PlaceError::AccountRejected => named(name, Refusal::NotPermitted),
        PlaceError::Success
        | PlaceError::AccountNotFound
        | PlaceError::OrderRejected
        | PlaceError::InsufficientFunds
        | PlaceError::OrderPending
        | PlaceError::UnknownError => plain(name),
    }
}

fn named(name: impl Into<String>, refusal: Refusal) -> Meaning {
    Meaning { name: name.into(), kind: Kind::Refused(refusal) }
}

fn plain(name: impl Into<String>) -> Meaning {
    named(name, Refusal::Other)
}

fn not_found(name: String) -> Meaning {
    Meaning { name, kind: Kind::NotFound }
}
