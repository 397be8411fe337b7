//! Names of earlier versions, and names that people take for others: an error that says what to write.

/// A name that is not valid, and the one that is.
pub(crate) struct OldKey {
    /// Full path in `risk.yaml`; a `*` stands for any rule.
    path: &'static str,
    /// The valid name.
    pub instead: &'static str,
    pub note: &'static str,
}

const OLD: &[OldKey] = &[
    OldKey {
        path: "rules.no_stop_loss_grace.require_within_seconds",
        instead: "grace_period_seconds",
        note: "There is one grace period, under one name.",
    },
    OldKey {
        path: "rules.no_stop_loss_grace.grace_seconds",
        instead: "grace_period_seconds",
        note: "There is one grace period, under one name.",
    },
    OldKey {
        path: "rules.no_stop_loss_grace.grace_period",
        instead: "grace_period_seconds",
        note: "There is one grace period, under one name.",
    },
    OldKey {
        path: "rules.no_stop_loss_grace.max_grace_seconds",
        instead: "grace_period_seconds",
        note: "There is one grace period, under one name.",
    },
    OldKey {
        path: "rules.no_stop_loss_grace.enforcement",
        instead: "action",
        note: "The rule has one answer: close_position.",
    },
    OldKey {
        path: "rules.daily_realized_profit.limit",
        instead: "target",
        note: "A profit has a target, a loss has a limit.",
    },
    OldKey {
        path: "rules.max_unrealized_profit.limit",
        instead: "target",
        note: "A profit has a target, a loss has a limit.",
    },
    OldKey {
        path: "rules.daily_realized_loss.target",
        instead: "limit",
        note: "A loss has a limit, a profit has a target.",
    },
    OldKey {
        path: "rules.daily_unrealized_loss.target",
        instead: "limit",
        note: "A loss has a limit, a profit has a target.",
    },
    OldKey {
        path: "rules.*.mode",
        instead: "rule_mode",
        note: "The stance of a rule is rule_mode; only symbol_blocks has a mode of its own.",
    },
];

/// What to write instead of a name that is not valid.
pub(crate) fn old_key(path: &str) -> Option<&'static OldKey> {
    OLD.iter().find(|old| match old.path.split_once('*') {
        None => old.path == path,
        Some((before, after)) => path
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(|middle| !middle.contains('.')),
    })
}
