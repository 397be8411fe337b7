//! The other program of this package. Both lie in one folder.

use std::path::PathBuf;

use crate::args::Program;

/// The other program cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum Missing {
    /// It is not where it belongs.
    #[error(
        "{} was not found: {} is missing. Its place is beside the program that runs. Install Risk Manager again.",
        program.file(),
        path.display()
    )]
    File {
        /// Which program.
        program: Program,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The system does not say where this program is.
    #[error("The folder of Risk Manager is not known ({0}). Start it by its full path.")]
    Folder(#[from] std::io::Error),
}

/// Where the file of a program is.
///
/// # Errors
/// It is not beside the one that runs.
pub fn find(program: Program) -> Result<PathBuf, Missing> {
    let path = std::env::current_exe()?.with_file_name(program.file());
    let path = path.with_extension(std::env::consts::EXE_EXTENSION);
    if path.is_file() { Ok(path) } else { Err(Missing::File { program, path }) }
}
