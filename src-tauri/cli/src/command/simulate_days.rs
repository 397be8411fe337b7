//! `riskctl simulate-days`: whole trading days with everything that can go wrong, in virtual time.

use crate::{args::SimulateDays, exit::Failure, print};

/// Runs the days, or tells the steps of one world.
pub fn run(options: SimulateDays) -> Result<(), Failure> {
    let outcome = match options.from_step {
        // Whoever reads no further, as `head` does, wants no more.
        Some(from) => world::retell(options.seed, options.days, from, |line| {
            let _ = print::line(line);
        }),
        None => world::simulate(options.seed, options.days),
    };
    let outcome = outcome.map_err(Failure::other)?;
    print::line(format!("{}; no invariant broken (digest {:016x})", outcome.tally, outcome.digest))
}
