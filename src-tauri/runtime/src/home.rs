//! The home directory: where everything of one engine lies, and the lock that keeps it to one.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Environment variable that moves the home.
pub const HOME_VARIABLE: &str = "RISK_MANAGER_HOME";

/// A home directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    path: PathBuf,
}

/// The engine's claim on a home; given up when dropped, also when the process dies.
#[derive(Debug)]
pub struct HomeLock {
    _file: File,
}

/// A home cannot be used.
#[derive(Debug, Error)]
pub enum HomeError {
    /// There is no home directory of the user, and none was named.
    #[error("no home directory is known. Name one with --home DIR or {HOME_VARIABLE}")]
    Unknown,
    /// It cannot be written.
    #[error("cannot write to {}: {source}. Make it writable, or choose another home with --home DIR", path.display())]
    NotWritable {
        /// Which place.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Another engine runs on it.
    #[error(
        "an engine is running already on {} (process {pid}). See `riskctl status`, or choose another home with \
         --home DIR",
        path.display()
    )]
    Taken {
        /// Which home.
        path: PathBuf,
        /// Process id of the other engine.
        pid: String,
    },
}

impl Home {
    /// The named directory, or `RISK_MANAGER_HOME`, or `~/.risk_manager`.
    ///
    /// # Errors
    /// None of them is known.
    pub fn find(named: Option<&Path>) -> Result<Self, HomeError> {
        let path = named
            .map(Path::to_path_buf)
            .or_else(|| std::env::var_os(HOME_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from))
            .or_else(|| std::env::home_dir().map(|home| home.join(".risk_manager")))
            .ok_or(HomeError::Unknown)?;
        Ok(Self { path: std::path::absolute(&path).unwrap_or(path) })
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The settings files.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.path.join("config")
    }

    /// The log files.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// Makes the directory, readable for its owner only, and claims it for one engine.
    ///
    /// # Errors
    /// It cannot be written, or another engine has claimed it.
    pub fn claim(&self) -> Result<HomeLock, HomeError> {
        let refused = |path: &Path| {
            let path = path.to_path_buf();
            move |source| HomeError::NotWritable { path, source }
        };
        fs::create_dir_all(&self.path).map_err(refused(&self.path))?;
        owner_only(&self.path).map_err(refused(&self.path))?;
        let path = self.path.join("engine.lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(refused(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let _ = file.read_to_string(&mut pid);
                return Err(HomeError::Taken { path: self.path.clone(), pid: pid.trim().to_string() });
            }
            Err(TryLockError::Error(source)) => return Err(HomeError::NotWritable { path, source }),
        }
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        write(&mut file).map_err(refused(&path))?;
        Ok(HomeLock { _file: file })
    }
}

#[cfg(unix)]
fn owner_only(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn owner_only(_: &Path) -> io::Result<()> {
    // Below the user's profile, which other users cannot read.
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_engine_per_home() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::find(Some(directory.path())).unwrap();
        let first = home.claim().unwrap();
        let second = home.claim().unwrap_err();
        assert!(second.to_string().contains(&format!("process {}", std::process::id())), "{second}");
        drop(first);
        assert!(home.claim().is_ok());
    }

    #[test]
    fn a_home_that_cannot_be_written_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let home = Home::find(Some(&file.join("home"))).unwrap();
        let error = home.claim().unwrap_err().to_string();
        assert!(error.starts_with("cannot write to") && error.contains("--home DIR"), "{error}");
    }
}
