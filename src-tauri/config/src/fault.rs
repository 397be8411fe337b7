//! What is wrong in a file, where, why, and the way out. Text for people: no secret is ever in it, and
//! what a file contained is shown escaped.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// The configuration is taken; somebody should look at it.
    Warning,
}

/// The kind of fault, for those who act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The file can't be read.
    Unreadable,
    /// Not YAML, or YAML that this program does not take.
    Syntax,
    /// A name that does not exist.
    UnknownKey,
    /// A name or form of an earlier version.
    OldKey,
    /// The wrong type of value.
    Type,
    /// The right type, out of range.
    Range,
    /// Values that contradict each other.
    Conflict,
    /// A secret in a file.
    Secret,
    /// An environment variable that is missing.
    Environment,
    /// A rule that this version does not have.
    NotBuilt,
    /// RULE-008 was switched off or weakened; it is enforced all the same (ruling 2).
    StopRuleForced,
    /// Allowed, and probably not meant.
    Doubtful,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// How bad it is.
    pub severity: Severity,
    /// Of which kind.
    pub kind: FaultKind,
    /// File name inside the configuration folder.
    pub file: String,
    /// Line, counted from 1; `None`: the file as a whole.
    pub line: Option<usize>,
    /// Column, counted from 1.
    pub column: Option<usize>,
    /// Dotted path of the key inside its file; empty for the file as a whole.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// Why that matters.
    pub reason: String,
    /// What to do.
    pub fix: String,
    /// How it would look.
    pub example: Option<String>,
    /// The nearest valid name.
    pub nearest: Option<String>,
}

/// A place in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// File name inside the configuration folder.
    pub file: String,
    /// Line, counted from 1.
    pub line: Option<usize>,
    /// Column, counted from 1.
    pub column: Option<usize>,
}

/// All faults of a load that failed, warnings included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Faults(pub Vec<Fault>);

impl std::error::Error for Faults {}

impl Place {
    /// A file as a whole.
    #[must_use]
    pub fn file(name: &str) -> Self {
        Self { file: name.to_string(), line: None, column: None }
    }
}

impl Fault {
    pub(crate) fn error(kind: FaultKind, place: &Place, key: &str, problem: impl Into<String>) -> Self {
        Self::new(Severity::Error, kind, place, key, problem.into())
    }

    pub(crate) fn warning(kind: FaultKind, place: &Place, key: &str, problem: impl Into<String>) -> Self {
        Self::new(Severity::Warning, kind, place, key, problem.into())
    }

    fn new(severity: Severity, kind: FaultKind, place: &Place, key: &str, problem: String) -> Self {
        Self {
            severity,
            kind,
            file: place.file.clone(),
            line: place.line,
            column: place.column,
            key: key.to_string(),
            problem,
            reason: String::new(),
            fix: String::new(),
            example: None,
            nearest: None,
        }
    }

    pub(crate) fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }

    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }

    pub(crate) fn example(mut self, example: impl Into<String>) -> Self {
        self.example = Some(example.into());
        self
    }

    pub(crate) fn nearest(mut self, nearest: Option<&str>) -> Self {
        self.nearest = nearest.map(ToString::to_string);
        self
    }

    /// Whether the configuration is refused because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        match self.severity {
            Severity::Error => write!(f, ": error: ")?,
            Severity::Warning => write!(f, ": warning: ")?,
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}", self.problem)?;
        for part in [&self.reason, &self.fix].into_iter().filter(|part| !part.is_empty()) {
            write!(f, " {part}")?;
        }
        if let Some(nearest) = self.nearest.as_ref().filter(|_| self.kind != FaultKind::OldKey) {
            write!(f, " Did you mean `{nearest}`?")?;
        }
        if let Some(example) = &self.example {
            write!(f, " Example: `{example}`.")?;
        }
        Ok(())
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

/// A piece of a file as it may be shown: escaped, and cut where it is long.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let escaped: String = text.chars().take(LONGEST).flat_map(char::escape_default).collect();
    let more = if text.chars().count() > LONGEST { "..." } else { "" };
    format!("\"{escaped}{more}\"")
}

/// The nearest of some names, if one is near enough to be a slip.
pub(crate) fn nearest<'a>(name: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let farthest = (wanted.chars().count() / 3).max(1);
    valid
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= farthest)
        .min()
        .map(|(_, candidate)| candidate)
}
