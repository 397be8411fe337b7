//! What the desktop must offer before anything is drawn, said in one sentence where it is missing:
//! without a display the window library panics, without its tray library so does the tray.

/// Something of the desktop is missing.
#[derive(Debug, thiserror::Error)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "the other systems always have a desktop"))]
pub enum Missing {
    /// No screen to draw on.
    #[error("There is no display to show the tray icon on: start the engine without one with `riskctl run`.")]
    Display,
    /// The tray's library.
    #[error(
        "The tray icon needs the library libayatana-appindicator3 (Debian, Ubuntu: apt install \
         libayatana-appindicator3-1; Fedora: dnf install libayatana-appindicator-gtk3). Without it start \
         the engine with `riskctl run`."
    )]
    TrayLibrary,
}

/// GTK asks the graphics driver what it could draw, and a computer without one answers with a compiler of
/// 20 MB: much for an icon and a menu. Who sets the variable himself has the last word; the comma tells his
/// value from this one, which is not for the window.
#[cfg(target_os = "linux")]
pub const DRAWING: (&str, &str) = ("GDK_GL", "disable,");

/// Whether the tray can be shown. Of a process without threads.
///
/// # Errors
/// The first thing that is missing.
#[cfg(target_os = "linux")]
pub fn check() -> Result<(), Missing> {
    if std::env::var_os(DRAWING.0).is_none() {
        let _ = gtk::glib::setenv(DRAWING.0, DRAWING.1, false);
    }
    gtk::init().map_err(|_| Missing::Display)?;
    if linux::has_tray_library() { Ok(()) } else { Err(Missing::TrayLibrary) }
}

/// Whether the tray can be shown.
///
/// # Errors
/// Never: Windows and macOS always have a desktop.
#[cfg(not(target_os = "linux"))]
pub fn check() -> Result<(), Missing> {
    Ok(())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::{Path, PathBuf};

    /// Names that the tray opens at run time, in its order.
    const LIBRARIES: [&str; 2] = ["libayatana-appindicator3.so.1", "libappindicator3.so.1"];
    /// Where the loader looks beside `LD_LIBRARY_PATH`: Debian, Fedora and SUSE, Arch.
    const FOLDERS: [&str; 8] = [
        "/usr/lib/x86_64-linux-gnu",
        "/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/lib64",
        "/usr/lib",
        "/usr/local/lib",
    ];
    /// Every shared library begins so.
    const ELF: [u8; 4] = *b"\x7fELF";

    pub fn has_tray_library() -> bool {
        let extra = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = std::env::split_paths(&extra).chain(FOLDERS.map(PathBuf::from)).collect();
        has_in(&folders)
    }

    /// The loader takes the first file of that name and fails if it is no library.
    fn has_in(folders: &[PathBuf]) -> bool {
        LIBRARIES.iter().any(|library| {
            let first = folders.iter().map(|folder| folder.join(library)).find(|path| path.exists());
            first.is_some_and(|path| is_library(&path))
        })
    }

    fn is_library(path: &Path) -> bool {
        let mut magic = [0; 4];
        let read =
            std::fs::File::open(path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut magic));
        read.is_ok() && magic == ELF
    }
}
