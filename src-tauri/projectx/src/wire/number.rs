//! Numbers on the wire: JSON numbers with varying scale (`6335.250000000`, `49909`), compared by value
//! (gateway reference 3.9).

use std::fmt;

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A decimal that travels as a JSON number. Strings are read as well: one client met them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(pub Decimal);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // By way of its digits: a price one bit beside them would be off the grid of ticks.
        match (self.0.is_integer(), self.0.to_i64(), self.0.to_string().parse::<f64>()) {
            (true, Some(whole), _) => serializer.serialize_i64(whole),
            (_, _, Ok(shortest)) => serializer.serialize_f64(shortest),
            _ => Err(serde::ser::Error::custom("a number that JSON cannot carry")),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl de::Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Number, E> {
        Ok(Number(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Number, E> {
        Ok(Number(value.into()))
    }

    /// The shortest text that reads back as the same float is the text that was sent, for every number
    /// of up to 15 digits.
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Number, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
        text.parse()
            .or_else(|_| Decimal::from_scientific(text))
            .map(Number)
            .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

/// Ids: 64-bit numbers; strings are read as well.
pub mod id {
    use super::{Deserialize, Deserializer, Serializer, de, fmt};

    /// Writes a number.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: Serializer>(id: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(*id)
    }

    /// Reads a number or a text that is one.
    ///
    /// # Errors
    /// Anything else.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }

    struct IdVisitor;

    impl de::Visitor<'_> for IdVisitor {
        type Value = i64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number")
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> Result<i64, E> {
            Ok(value)
        }

        fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
            i64::try_from(value).map_err(E::custom)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<i64, E> {
            text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }

    /// The same for ids that may be absent.
    pub mod maybe {
        use super::{Deserialize, Deserializer, Serializer};

        #[derive(Deserialize)]
        struct Id(#[serde(with = "super")] i64);

        /// Writes a number or null.
        ///
        /// # Errors
        /// The serializer's own.
        pub fn serialize<S: Serializer>(id: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
            match id {
                Some(id) => serializer.serialize_i64(*id),
                None => serializer.serialize_none(),
            }
        }

        /// Reads a number, a text that is one, or null.
        ///
        /// # Errors
        /// Anything else.
        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
            Ok(Option::<Id>::deserialize(deserializer)?.map(|Id(id)| id))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_by_value() {
        for (text, expected) in [
            ("6335.250000000", "6335.25"),
            ("49909", "49909"),
            ("0.0000005", "0.0000005"),
            ("5e-7", "0.0000005"),
            ("-20.0000", "-20"),
            ("\"21455.25\"", "21455.25"),
            ("0.00390625", "0.00390625"),
            ("149718.36", "149718.36"),
        ] {
            let number: Number = serde_json::from_str(text).unwrap();
            assert_eq!(number.0.normalize().to_string(), expected);
        }
        assert!(serde_json::from_str::<Number>("\"a\"").is_err());
        assert!(serde_json::from_str::<Number>("null").is_err());
    }

    #[test]
    fn numbers_are_written_as_numbers() {
        let text = |decimal: &str| serde_json::to_string(&Number(decimal.parse().unwrap())).unwrap();
        assert_eq!(text("21455.25"), "21455.25");
        assert_eq!(text("21455.00"), "21455");
        assert_eq!(text("-0.36"), "-0.36");
    }
}
