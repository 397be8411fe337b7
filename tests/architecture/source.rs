//! The source text of the workspace, a file each, and what of it is the product.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One Rust file.
pub struct Source {
    /// From the root of the workspace, with slashes.
    pub path: String,
    pub text: String,
}

/// What stands before a module of tests.
const TESTS: &str = "#[cfg(test)]\nmod ";

impl Source {
    /// All Rust files of crates and tests.
    pub fn all() -> Vec<Self> {
        let mut found = Vec::new();
        for place in ["src-tauri", "tests"] {
            collect(&root().join(place), &mut found);
        }
        assert!(found.len() > 200, "the sources are not where they were");
        found
    }

    /// Files of the product below these places, without its tests and benchmarks.
    pub fn of_product(places: &[&str]) -> Vec<Self> {
        let all = Self::all();
        let of_tests: Vec<String> = all.iter().flat_map(Self::files_of_tests).collect();
        let is_test = |path: &str| {
            ["/tests/", "/benches/"].iter().any(|it| path.contains(it))
                || of_tests.iter().any(|it| path.starts_with(it))
        };
        let is_wanted =
            |it: &Self| places.iter().any(|place| it.path.starts_with(place)) && !is_test(&it.path);
        let found: Vec<Self> = all.into_iter().filter(is_wanted).collect();
        assert!(!found.is_empty(), "nothing below {places:?}");
        found
    }

    /// How the paths of the modules begin that this file declares for tests only.
    fn files_of_tests(&self) -> Vec<String> {
        let place = self.path.strip_suffix("mod.rs").or(self.path.strip_suffix("lib.rs"));
        let place = place.map_or_else(|| format!("{}/", self.path.trim_end_matches(".rs")), str::to_string);
        let declared = self.text.split(TESTS).skip(1).filter_map(|it| it.lines().next()?.strip_suffix(';'));
        declared.map(|name| format!("{place}{name}.")).collect()
    }

    /// What is compiled into the product: no comments, no tests at the end of the file.
    pub fn code(&self) -> String {
        let product = self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        product.lines().map(without_comment).collect::<Vec<_>>().join("\n")
    }

    /// The lines of the code in which a word stands for itself.
    pub fn naming(&self, word: &str) -> Vec<String> {
        let code = self.code();
        let lines = code.lines().filter(|line| names(line, word));
        lines.map(|line| format!("{}: {}", self.path, line.trim())).collect()
    }
}

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn collect(place: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            found.push(Source { text: fs::read_to_string(&path).unwrap(), path: name });
        }
    }
}

/// Two slashes that belong to no address begin a comment.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':'));
    comment.map_or(line, |(at, _)| &line[..at])
}

/// Whether a word stands in a line, not as a part of a longer one.
fn names(line: &str, word: &str) -> bool {
    let is_part = |letter: Option<char>| letter.is_some_and(|it| it.is_alphanumeric() || it == '_');
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let starts = word.starts_with(char::is_alphanumeric);
        let ends = word.ends_with(char::is_alphanumeric);
        let is_longer =
            starts && is_part(before.chars().next_back()) || ends && is_part(after.chars().next());
        !is_longer
    })
}

#[test]
fn words_are_found_in_code_only_and_only_whole() {
    let source = Source {
        path: "a.rs".to_string(),
        text:
            "use std::fs; // no tokio\nlet url = \"https://x\"; let tokios = 1;\n#[cfg(test)]\nmod tests {\n\
               use tokio;\n}\n"
                .to_string(),
    };
    assert_eq!(source.naming("std::fs"), ["a.rs: use std::fs;"]);
    assert_eq!(source.naming("tokio"), Vec::<String>::new());
    assert_eq!(source.naming("tokios").len(), 1, "an address is no comment");
}
