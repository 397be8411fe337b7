//! How long each rule takes, measured by whoever has a clock: the engine has none.

use domain::RuleKey;

/// Is told when a rule begins to look at an account, and when it is done.
pub trait Stopwatch {
    /// A rule begins.
    fn begin(&mut self);
    /// This rule is done.
    fn end(&mut self, rule: RuleKey);
}

/// Measures nothing.
impl Stopwatch for () {
    fn begin(&mut self) {}

    fn end(&mut self, _: RuleKey) {}
}
