//! What open positions are worth, with how sure that is. A sum is only as sure as its least sure part;
//! unknown is never zero (invariant 10).

use domain::{ContractId, Usd};

/// An open result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Worth {
    /// By quotes.
    Live(Usd),
    /// Partly or wholly by bars.
    Bars {
        /// By the newest ones.
        newest: Usd,
        /// By those of the query before; `None` while there was one only.
        before: Option<Usd>,
        /// A contract whose quotes are missing.
        missing: ContractId,
    },
    /// Not known, for want of this contract's price or metadata.
    Unknown(ContractId),
}

/// Whether an open result has reached a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It has, at this value.
    Yes(Usd),
    /// It has not.
    No,
    /// Nobody can tell, for want of this contract's quotes.
    Unsure(ContractId),
}

impl Worth {
    /// Nothing held is worth nothing.
    pub const NOTHING: Self = Self::Live(Usd::ZERO);

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown(contract), _) | (_, Self::Unknown(contract)) => Self::Unknown(contract),
            (Self::Live(one), Self::Live(two)) => Self::Live(one + two),
            (Self::Live(live), Self::Bars { newest, before, missing })
            | (Self::Bars { newest, before, missing }, Self::Live(live)) => {
                Self::Bars { newest: newest + live, before: before.map(|it| it + live), missing }
            }
            (Self::Bars { newest, before, missing }, Self::Bars { newest: other, before: older, .. }) => {
                let before = before.zip(older).map(|(one, two)| one + two);
                Self::Bars { newest: newest + other, before, missing }
            }
        }
    }

    /// The value by quotes, which alone is sure.
    #[must_use]
    pub fn sure(&self) -> Option<Usd> {
        match self {
            Self::Live(value) => Some(*value),
            Self::Bars { .. } | Self::Unknown(_) => None,
        }
    }

    /// The newest value, however sure.
    #[must_use]
    pub fn newest(&self) -> Option<Usd> {
        match self {
            Self::Live(value) | Self::Bars { newest: value, .. } => Some(*value),
            Self::Unknown(_) => None,
        }
    }

    /// Whether it fulfils a condition. By bars only if the last two queries both say so; what a single
    /// query says, or denies, is not sure.
    pub fn reached(self, condition: impl Fn(Usd) -> bool) -> Reached {
        match self {
            Self::Live(value) if condition(value) => Reached::Yes(value),
            Self::Live(_) => Reached::No,
            Self::Bars { newest, before: Some(before), .. } if condition(newest) && condition(before) => {
                Reached::Yes(newest)
            }
            Self::Bars { missing, .. } | Self::Unknown(missing) => Reached::Unsure(missing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(dollars: i64) -> Usd {
        Usd::from_cents(dollars * 100)
    }

    fn bars(newest: i64, before: Option<i64>) -> Worth {
        Worth::Bars { newest: usd(newest), before: before.map(usd), missing: "C".into() }
    }

    #[test]
    fn a_sum_is_as_sure_as_its_least_sure_part() {
        assert_eq!(Worth::Live(usd(1)).plus(Worth::Live(usd(2))), Worth::Live(usd(3)));
        assert_eq!(Worth::Live(usd(1)).plus(bars(2, Some(4))), bars(3, Some(5)));
        assert_eq!(bars(1, Some(1)).plus(bars(2, None)), bars(3, None));
        assert_eq!(bars(1, None).plus(Worth::Unknown("D".into())), Worth::Unknown("D".into()));
    }

    #[test]
    fn bars_decide_only_when_two_queries_agree() {
        let reached = |worth: Worth| worth.reached(|value| value <= usd(-200));
        assert_eq!(reached(Worth::Live(usd(-200))), Reached::Yes(usd(-200)));
        assert_eq!(reached(Worth::Live(usd(-199))), Reached::No);
        assert_eq!(reached(bars(-250, Some(-210))), Reached::Yes(usd(-250)));
        for unsure in [bars(-250, None), bars(-250, Some(-100)), bars(0, Some(0)), Worth::Unknown("C".into())]
        {
            assert_eq!(reached(unsure), Reached::Unsure("C".into()));
        }
    }
}
