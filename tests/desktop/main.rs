//! The real program on a desktop of its own: own display, own bus, own home. The test is the tray host,
//! the notification server and the engine, so that everything that people see can be looked at.
//!
//! Needs xvfb, dbus, webkit2gtk-driver, gnome-keyring, libsecret-tools, dunst and xdotool.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up is a failed test")]

#[allow(dead_code, reason = "shared with the measurements")]
mod bench;
mod engine;
mod first_start;
mod guard;
mod keyring;
mod notifications;
mod pages;
mod settings;
mod start;
mod tray;
mod whole;
mod window;
