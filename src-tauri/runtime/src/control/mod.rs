//! The control socket: local, for the owner only. Typed requests, one stream of views. And the names by which
//! a later start of a program finds the first.

pub mod client;
pub mod instance;
pub mod server;

use std::{io, path::Path};

use interprocess::local_socket::{GenericFilePath, ListenerOptions, Name, ToFsName};
use sha2::{Digest, Sha256};

/// Longest request or response in bytes; a longer one ends the connection.
pub const LONGEST_LINE: usize = 4 << 20;

/// Longest path that a Unix socket can have on all systems, with room to spare.
#[cfg(unix)]
const LONGEST_PATH: usize = 100;

/// Where the socket of a home is: in the home, or, where that path is too long for a socket, in a
/// directory of the owner's below the system's temporary one.
#[cfg(unix)]
fn place(home: &Path) -> std::path::PathBuf {
    let inside = home.join("control.sock");
    if inside.as_os_str().len() <= LONGEST_PATH {
        return inside;
    }
    let user = std::env::var("USER").unwrap_or_default();
    std::env::temp_dir().join(format!("risk-manager-{user}")).join(format!("{}.sock", fingerprint(home)))
}

#[cfg(windows)]
fn place(home: &Path) -> std::path::PathBuf {
    format!(r"\\.\pipe\risk-manager-{}", fingerprint(home)).into()
}

fn fingerprint(home: &Path) -> String {
    let hash = Sha256::digest(home.as_os_str().as_encoded_bytes());
    hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

fn name(home: &Path) -> io::Result<Name<'static>> {
    place(home).into_os_string().to_fs_name::<GenericFilePath>()
}

/// The owner and nobody else.
#[cfg(windows)]
fn for_owner(options: ListenerOptions<'_>) -> io::Result<ListenerOptions<'_>> {
    use interprocess::os::windows::{
        local_socket::ListenerOptionsExt, security_descriptor::SecurityDescriptor,
    };
    let descriptor = widestring::u16cstr!("D:P(A;;GA;;;OW)");
    Ok(options.security_descriptor(SecurityDescriptor::deserialize(descriptor)?))
}

/// The owner and nobody else.
#[cfg(unix)]
fn for_owner(options: ListenerOptions<'_>) -> io::Result<ListenerOptions<'_>> {
    use interprocess::os::unix::local_socket::ListenerOptionsExt;
    Ok(options.mode(0o600))
}
