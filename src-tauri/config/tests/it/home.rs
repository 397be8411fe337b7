//! Folders with files for the tests. No test reads the environment of whoever runs it.

use std::{fs, path::PathBuf};

use config::{Faults, Loaded};
use domain::RuleKey;

/// A home folder that goes away with the test.
pub struct Home(tempfile::TempDir);

/// An empty environment.
pub fn nothing(_: &str) -> Option<String> {
    None
}

impl Home {
    /// With these files in its configuration folder.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::create_dir(home.config()).unwrap();
        for (name, text) in files {
            home.write(name, text);
        }
        home
    }

    pub fn config(&self) -> PathBuf {
        self.0.path().join("config")
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.config().join(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.config().join(name)).unwrap()
    }

    pub fn load(&self) -> Result<Loaded, Faults> {
        config::load(&self.config(), &nothing, &RuleKey::RULES)
    }

    pub fn check(&self) -> Result<Loaded, Faults> {
        config::check(&self.config(), &nothing, &RuleKey::RULES)
    }
}
