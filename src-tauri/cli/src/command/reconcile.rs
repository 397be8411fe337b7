//! `riskctl reconcile`: the running engine reads the broker's state anew and says what differs from what it
//! knew.

use std::{path::Path, time::Duration};

use runtime::{Home, control::client::Client};
use views::control::{Ask, Reply};

use crate::{args::Format, exit::Failure, print};

/// The engine gives a reading up before that.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Asks, waits, and prints.
pub async fn run(home: Option<&Path>, options: Format) -> Result<(), Failure> {
    let home = Home::find(home)?;
    let mut client = Client::connect(home.path()).await?;
    let Reply::Reconciled { differences } = client.ask_within(Ask::Reconcile, ANSWER_WITHIN).await? else {
        return Err(Failure::other("the engine answered another question"));
    };
    if options.json {
        return print::json(&differences);
    }
    if differences.is_empty() {
        return print::line("Everything was read anew: what the engine knew agrees.");
    }
    print::line("What was read differs from what the engine knew. It counts from now on:")?;
    let text = |account: &str, text: &str| format!("  {account}   {text}");
    differences.iter().try_for_each(|it| print::line(text(it.account.as_str(), &it.text)))
}
