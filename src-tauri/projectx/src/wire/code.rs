//! Enum numbers (gateway reference 4) and error codes (2.2). An unknown number is an error with the
//! number in it, never a guess.

use thiserror::Error;

/// A number that is in no table.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown {what} {number}")]
pub struct UnknownCode {
    /// Which enumeration.
    pub what: &'static str,
    /// What was sent.
    pub number: i64,
}

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($variant:ident = $number:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "named as in the gateway's own table")]
        pub enum $name { $($variant = $number),+ }

        impl $name {
            /// The number on the wire.
            #[must_use]
            pub const fn code(self) -> i64 {
                self as i64
            }
        }

        impl TryFrom<i64> for $name {
            type Error = UnknownCode;

            fn try_from(number: i64) -> Result<Self, UnknownCode> {
                match number {
                    $($number => Ok(Self::$variant),)+
                    _ => Err(UnknownCode { what: $what, number }),
                }
            }
        }
    };
}

codes!(
    /// Direction of an order or a trade.
    OrderSide, "order side" { Bid = 0, Ask = 1 }
);
codes!(
    /// How an order executes.
    OrderType, "order type" {
        Unknown = 0, Limit = 1, Market = 2, StopLimit = 3, Stop = 4, TrailingStop = 5, JoinBid = 6, JoinAsk = 7,
    }
);
codes!(
    /// Where an order stands; 7 and 8 are in no docs page, 8 was captured.
    OrderStatus, "order status" {
        None = 0, Open = 1, Filled = 2, Cancelled = 3, Expired = 4, Rejected = 5, Pending = 6,
        PendingCancellation = 7, Suspended = 8,
    }
);
codes!(
    /// Direction of a position.
    PositionType, "position type" { Undefined = 0, Long = 1, Short = 2 }
);
codes!(
    /// Unit of history bars; 7 (tick) is documented late and refused here.
    BarUnit, "bar unit" { Second = 1, Minute = 2, Hour = 3, Day = 4, Week = 5, Month = 6 }
);
codes!(
    /// Row type of market depth.
    DomType, "depth type" {
        Unknown = 0, Ask = 1, Bid = 2, BestAsk = 3, BestBid = 4, Trade = 5, Reset = 6, Low = 7, High = 8,
        NewBestBid = 9, NewBestAsk = 10, Fill = 11,
    }
);
codes!(
    /// Codes of the two logins.
    LoginError, "login error" {
        Success = 0, UserNotFound = 1, PasswordVerificationFailed = 2, InvalidCredentials = 3, AppNotFound = 4,
        AppVerificationFailed = 5, InvalidDevice = 6, AgreementsNotSigned = 7, UnknownError = 8,
        ApiSubscriptionNotFound = 9, ApiKeyAuthenticationDisabled = 10,
    }
);
codes!(
    /// Codes of session validation.
    ValidateError, "validate error" {
        Success = 0, InvalidSession = 1, SessionNotFound = 2, ExpiredToken = 3, UnknownError = 4,
    }
);
codes!(
    /// Codes of Order/place.
    PlaceError, "place error" {
        Success = 0, AccountNotFound = 1, OrderRejected = 2, InsufficientFunds = 3, AccountViolation = 4,
        OutsideTradingHours = 5, OrderPending = 6, UnknownError = 7, ContractNotFound = 8,
        ContractNotActive = 9, AccountRejected = 10,
    }
);
codes!(
    /// Codes of Order/cancel.
    CancelError, "cancel error" {
        Success = 0, AccountNotFound = 1, OrderNotFound = 2, Rejected = 3, Pending = 4, UnknownError = 5,
        AccountRejected = 6,
    }
);
codes!(
    /// Codes of Order/modify.
    ModifyError, "modify error" {
        Success = 0, AccountNotFound = 1, OrderNotFound = 2, Rejected = 3, Pending = 4, UnknownError = 5,
        AccountRejected = 6, ContractNotFound = 7,
    }
);
codes!(
    /// Codes of Position/closeContract.
    CloseError, "close error" {
        Success = 0, AccountNotFound = 1, PositionNotFound = 2, ContractNotFound = 3, ContractNotActive = 4,
        OrderRejected = 5, OrderPending = 6, UnknownError = 7, AccountRejected = 8,
    }
);
codes!(
    /// Codes of Position/partialCloseContract.
    PartialCloseError, "partial close error" {
        Success = 0, AccountNotFound = 1, PositionNotFound = 2, ContractNotFound = 3, ContractNotActive = 4,
        InvalidCloseSize = 5, OrderRejected = 6, OrderPending = 7, UnknownError = 8, AccountRejected = 9,
    }
);
codes!(
    /// Codes of History/retrieveBars.
    BarsError, "bars error" {
        Success = 0, ContractNotFound = 1, UnitInvalid = 2, UnitNumberInvalid = 3, LimitInvalid = 4,
    }
);
