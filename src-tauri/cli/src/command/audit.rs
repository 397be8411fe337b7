//! `riskctl audit verify`: whether the records are as they were written.

use std::path::Path;

use runtime::Home;
use serde_json::json;
use store::{AuditCheck, Reader};

use crate::{args::Audit, exit::Failure, print};

/// Checks the chain.
pub fn run(home: Option<&Path>, options: &Audit) -> Result<(), Failure> {
    let Audit::Verify(format) = options;
    let home = Home::find(home)?;
    match Reader::open(home.path())?.verify_audit() {
        Ok(check) => {
            let breaks = breaks(&check);
            if format.json {
                let sound = breaks.is_empty();
                print::json(
                    &json!({"sound": sound, "rows": check.rows, "head": check.head, "breaks": breaks}),
                )?;
            } else if breaks.is_empty() {
                print::line(format!("Sound: {} records, the last one {}.", check.rows, check.head))?;
            }
            if breaks.is_empty() {
                return Ok(());
            }
            Err(Failure::other(format!(
                "the records are whole since, but not before:\n  {}",
                breaks.join("\n  ")
            )))
        }
        Err(fault) => {
            if format.json {
                print::json(&json!({"sound": false, "reason": fault.to_string()}))?;
            }
            Err(Failure::other(format!("the audit is not as it was written: {fault}")))
        }
    }
}

/// Losses that the store found and wrote down itself.
fn breaks(check: &AuditCheck) -> Vec<String> {
    check.breaks.iter().map(|it| format!("record {}, {}: {}", it.row, it.at, it.reason)).collect()
}
