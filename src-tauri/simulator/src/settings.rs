//! What a simulated gateway is started with. Never read from a file or the environment here.

use domain::Usd;

/// Most accounts of one login.
pub const ACCOUNTS_LIMIT: u32 = 50;

/// Rows of the journal that are kept; beyond it the oldest row is dropped and counted.
pub const JOURNAL_LIMIT: usize = 200_000;

/// What a simulated gateway is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Seed of everything that is left to chance: the same seed and the same inputs give the same bytes.
    pub seed: u64,
    /// Who moves prices.
    pub market: Market,
    /// Pace of the walk and of scenarios: 2 is twice as fast. Time stamps stay real.
    pub speed: f64,
    /// Accounts of the login, in the order of their ids.
    pub accounts: Vec<AccountSettings>,
    /// Fees and commissions of fills.
    pub costs: Costs,
    /// Between acceptance and fill of an order; `None` as the market has it: at once in the manual
    /// market, 5 to 40 ms in the others.
    pub fill_delay: Option<FillDelay>,
    /// Whether REST trades carry `commissions`: only the swagger of 2026-09 has them (gateway reference
    /// 3.6), the hub always does.
    pub rest_commissions: bool,
    /// Rows of the journal that are kept.
    pub journal_limit: usize,
}

/// Who moves prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Market {
    /// A seeded random walk of every contract that somebody watches, holds or works.
    Walk,
    /// Only `POST /sim/quote` moves it, the standing quote is repeated while nothing moves; fills are immediate and the rate limit is off (ruling 35).
    Manual,
    /// The timeline of a scenario file.
    Scenario,
}

/// Fees and commissions of fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Costs {
    /// As captured, per product (gateway reference 9.6).
    Platform,
    /// None, as in the specification's scenario tables.
    Zero,
}

/// Between acceptance and fill of an order, in milliseconds, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FillDelay {
    /// Shortest.
    pub min_ms: u32,
    /// Longest.
    pub max_ms: u32,
}

/// One account of the login.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// Display name, such as `PRAC-V2-700001-40000017`.
    pub name: String,
    /// Opening balance.
    pub balance: Usd,
    /// Whether the platform shows it.
    pub visible: bool,
    /// Whether it passes `onlyActiveAccounts`.
    pub active: bool,
    /// False for live accounts, on which cancel and partial close are refused.
    pub simulated: bool,
    /// The platform's setting Auto OCO Brackets; false means Position Brackets, which refuse brackets
    /// from the API (gateway reference 9.5).
    pub auto_oco: bool,
}

impl Settings {
    /// One account, seed 1, normal pace, costs as on the platform.
    #[must_use]
    pub fn new(market: Market) -> Self {
        Self {
            seed: 1,
            market,
            speed: 1.0,
            accounts: AccountSettings::several(1),
            costs: Costs::Platform,
            fill_delay: None,
            rest_commissions: true,
            journal_limit: JOURNAL_LIMIT,
        }
    }
}

impl Market {
    /// Between acceptance and fill, unless the settings say otherwise.
    #[must_use]
    pub const fn fill_delay(self) -> FillDelay {
        match self {
            Self::Manual => FillDelay { min_ms: 0, max_ms: 0 },
            Self::Walk | Self::Scenario => FillDelay { min_ms: 5, max_ms: 40 },
        }
    }
}

impl AccountSettings {
    /// A first Practice account, then Combines of 50,000 and 150,000 dollars in turn; at least one, at
    /// most [`ACCOUNTS_LIMIT`].
    #[must_use]
    pub fn several(count: u32) -> Vec<Self> {
        (0..count.clamp(1, ACCOUNTS_LIMIT)).map(Self::numbered).collect()
    }

    fn numbered(index: u32) -> Self {
        let (name, balance) = match index {
            0 => ("PRAC-V2-700001-40000017".to_string(), 150_000),
            odd if odd % 2 == 1 => (format!("50KTC-V2-700001-{}", 51_015_100 + index), 50_000),
            _ => (format!("150KTC-V2-700001-{}", 51_015_100 + index), 150_000),
        };
        Self {
            name,
            balance: Usd::from_cents(balance * 100),
            visible: true,
            active: true,
            simulated: true,
            auto_oco: true,
        }
    }
}
