//! `${NAME}` in values, from the environment that is handed in and from a `.env` file. Never touches the
//! environment of the process: what counts is an argument.

use std::{cell::RefCell, collections::BTreeMap};

use crate::{
    fault::{Fault, FaultKind, Place, shown},
    yaml::{Content, Node, Scalar},
};

/// Name of the file in the home folder.
pub(crate) const DOT_ENV: &str = ".env";

/// References within references; more is a circle.
const DEEPEST: usize = 8;

/// Where names are looked up.
pub(crate) struct Environment<'a> {
    process: &'a dyn Fn(&str) -> Option<String>,
    file: BTreeMap<String, String>,
    used: RefCell<BTreeMap<String, String>>,
}

enum Trouble {
    Missing(String),
    Circle,
    Form,
}

impl<'a> Environment<'a> {
    /// The process's variables come before those of the file.
    pub fn new(process: &'a dyn Fn(&str) -> Option<String>, file: BTreeMap<String, String>) -> Self {
        Self { process, file, used: RefCell::default() }
    }

    /// What was looked up, with its values.
    pub fn used(self) -> BTreeMap<String, String> {
        self.used.into_inner()
    }

    /// Replaces the references in all values below a node; `path` is for the faults.
    pub fn substitute(&self, node: &mut Node, path: &str, faults: &mut Vec<Fault>) {
        match &mut node.content {
            Content::Scalar(scalar) if scalar.text.contains("${") => {
                if let Err(trouble) = self.resolve(scalar) {
                    faults.push(trouble.fault(&node.place, path, &scalar.text));
                    node.content = Content::Bad;
                }
            }
            Content::Scalar(_) | Content::Bad => {}
            Content::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.substitute(item, &format!("{path}[{index}]"), faults);
                }
            }
            Content::Map(entries) => {
                for (key, value) in entries {
                    let path =
                        if path.is_empty() { key.name.clone() } else { format!("{path}.{}", key.name) };
                    self.substitute(value, &path, faults);
                }
            }
        }
    }

    fn resolve(&self, scalar: &mut Scalar) -> Result<(), Trouble> {
        let text = self.expand(&scalar.text, 0)?;
        scalar.reference = Some(std::mem::replace(&mut scalar.text, text));
        Ok(())
    }

    fn expand(&self, text: &str, depth: usize) -> Result<String, Trouble> {
        if depth > DEEPEST {
            return Err(Trouble::Circle);
        }
        let mut done = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, remaining) = after.split_once('}').ok_or(Trouble::Form)?;
            if !is_name(name) {
                return Err(Trouble::Form);
            }
            done.push_str(before);
            done.push_str(&self.expand(&self.look_up(name)?, depth + 1)?);
            rest = remaining;
        }
        done.push_str(rest);
        Ok(done)
    }

    fn look_up(&self, name: &str) -> Result<String, Trouble> {
        let value = (self.process)(name)
            .or_else(|| self.file.get(name).cloned())
            .ok_or_else(|| Trouble::Missing(name.to_string()))?;
        self.used.borrow_mut().insert(name.to_string(), value.clone());
        Ok(value)
    }
}

impl Trouble {
    fn fault(self, place: &Place, key: &str, text: &str) -> Fault {
        match self {
            Self::Missing(name) => {
                Fault::error(FaultKind::Environment, place, key, format!("The variable {name} is not set."))
                    .because("The value of this key comes from the environment.")
                    .fix(format!("Set {name}, or write it into {DOT_ENV} in the home folder."))
                    .example(format!("{name}=..."))
            }
            Self::Circle => Fault::error(
                FaultKind::Environment,
                place,
                key,
                format!("The variables in {} refer to each other in a circle.", shown(text)),
            )
            .because("They never come to a value.")
            .fix("Give one of them a plain value."),
            Self::Form => Fault::error(
                FaultKind::Environment,
                place,
                key,
                format!("{} is not a reference to a variable.", shown(text)),
            )
            .because("Names have letters, digits and `_`, between `${` and `}`.")
            .fix("Write the name in full.")
            .example("${DAILY_LIMIT}"),
        }
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The variables of a `.env` file: `NAME=value`, `export` allowed, `#` comments, one line each, values
/// plain or in quotes. (The usual crate would look names up in the environment of the process.)
pub(crate) fn dot_env(text: &str, faults: &mut Vec<Fault>) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        match line.split_once('=').map(|(name, value)| (name.trim(), plain(value.trim()))) {
            Some((name, Some(value))) if is_name(name) => {
                variables.insert(name.to_string(), value.to_string());
            }
            _ => {
                let place = Place { file: DOT_ENV.to_string(), line: Some(index + 1), column: None };
                faults.push(
                    Fault::warning(
                        FaultKind::Syntax,
                        &place,
                        "",
                        "This line is not `NAME=value`, and is skipped.",
                    )
                    .because("It may hold a secret, so it is not shown.")
                    .fix("Write one variable a line, with both quotes or none.")
                    .example("DAILY_LIMIT=-250"),
                );
            }
        }
    }
    variables
}

/// A value without its quotes, or without the comment behind it.
fn plain(value: &str) -> Option<&str> {
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let (inner, rest) = value[1..].split_once(quote)?;
            let rest = rest.trim_start();
            (rest.is_empty() || rest.starts_with('#')).then_some(inner)
        }
        _ => Some(value.split_once(" #").map_or(value, |(value, _)| value.trim_end())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, process: &[(&str, &str)], file: &str) -> Result<String, String> {
        let mut faults = Vec::new();
        let look_up = |name: &str| {
            process.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_string())
        };
        let environment = Environment::new(&look_up, dot_env(file, &mut faults));
        let mut node = crate::yaml::parse("t.yaml", &format!("key: \"{text}\""), &mut faults).unwrap();
        environment.substitute(&mut node, "", &mut faults);
        match (faults.first(), &node.child("key").unwrap().content) {
            (None, Content::Scalar(scalar)) => Ok(scalar.text.clone()),
            (fault, _) => Err(fault.map(ToString::to_string).unwrap_or_default()),
        }
    }

    #[test]
    fn references_are_followed_to_their_end() {
        let process = [("A", "${B}5"), ("B", "-2"), ("SELF", "${SELF}")];
        assert_eq!(check("${A}0", &process, "").as_deref(), Ok("-250"));
        assert_eq!(check("${B}", &process, "B=9\nC=1").as_deref(), Ok("-2"), "the process comes first");
        assert_eq!(check("${C}", &[], "export C='a b' # note").as_deref(), Ok("a b"));
        assert_eq!(check("${C}", &[], "C=plain # note").as_deref(), Ok("plain"));
        assert!(check("${SELF}", &process, "").unwrap_err().contains("in a circle"));
        assert!(check("${NOPE}", &process, "").unwrap_err().contains("key: The variable NOPE is not set."));
        assert!(check("${A", &process, "").unwrap_err().contains("not a reference"));
    }

    #[test]
    fn a_broken_line_is_told_without_being_shown() {
        let told = check("x", &[], "\nAPI_KEY \"abc").unwrap_err();
        assert!(told.starts_with(".env:2: warning:") && !told.contains("abc"), "{told}");
    }
}
