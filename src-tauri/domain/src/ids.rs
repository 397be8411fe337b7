//! Identifiers. Text everywhere, one type each, cheap to clone: an account id can't be passed where a
//! contract id is wanted (specification A.1; lessons L-37, L-57, L-60).

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Arc::from(text))
            }
        }

        impl From<i64> for $name {
            fn from(number: i64) -> Self {
                Self::new(number.to_string())
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id!(
    /// The broker's id of an account; never its display name.
    AccountId
);
text_id!(
    /// One tradable expiry, such as `CON.F.US.MNQ.U26`.
    ContractId
);
text_id!(
    /// The root people speak of, such as `ES` or `MNQ`; never the vendor's root (`EP`, `ENQ`).
    Symbol
);
text_id!(
    /// The broker's id of an order.
    OrderId
);
text_id!(
    /// The broker's id of one execution.
    TradeId
);
text_id!(
    /// The broker's id of a position; a new one each time the account leaves flat.
    PositionId
);
