//! Sleep, wake and a locked screen, as logind tells of them on the system bus: waking has everything read again
//! at once, a locked screen changes nothing, and without such a bus all goes on. Needs `dbus-daemon`.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use zbus::{
    Message,
    blocking::{Connection, connection::Builder},
};

use crate::stage::{Rules, Stage, patiently, wait_until};

/// Far less than the minute after which everything is read anyway.
const SOON: Duration = Duration::from_secs(10);
/// What the engine says of itself once it listens.
const LISTENS: &str = "the system tells when this computer wakes";

/// A bus of one's own that stands for the system's; ends with the test.
struct Bus {
    daemon: Child,
    address: String,
}

impl Bus {
    fn open() -> Self {
        let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/bare-bus.conf");
        let mut daemon = Command::new("dbus-daemon")
            .args(["--config-file", config, "--nofork", "--nopidfile", "--print-address"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { daemon, address: address.trim().to_string() }
    }

    /// Somebody on it by this name.
    fn join(&self, name: &str) -> Connection {
        Builder::address(self.address.as_str()).unwrap().name(name).unwrap().build().unwrap()
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

fn says(bus: &Connection, path: &str, interface: &str, member: &str, body: Option<bool>) {
    let signal = Message::signal(path, interface, member).unwrap();
    let message = match body {
        Some(flag) => signal.build(&(flag,)),
        None => signal.build(&()),
    };
    bus.send(&message.unwrap()).unwrap();
}

fn sleep(bus: &Connection, begins: bool) {
    says(bus, "/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForSleep", Some(begins));
}

fn reads(stage: &Stage) -> usize {
    stage
        .simulator
        .journal()
        .requests()
        .iter()
        .filter(|row| row.path.ends_with("Position/searchOpen"))
        .count()
}

#[test]
fn waking_has_everything_read_again_and_a_locked_screen_stops_nothing() {
    let bus = Bus::open();
    let mut stage = Stage::with(&Rules::two_mnq());
    stage.start_where(|command| {
        command.env("DBUS_SYSTEM_BUS_ADDRESS", &bus.address);
    });
    stage.protected();
    let logind = bus.join("org.freedesktop.login1");
    wait_until("the engine listens", || stage.engine().errors().contains(LISTENS));
    let desk = stage.desk();

    let session = "/org/freedesktop/login1/session/_31";
    says(&logind, session, "org.freedesktop.login1.Session", "Lock", None);
    sleep(&logind, true);
    sleep(&bus.join("somebody.else"), false);
    desk.buy("MNQ", 4);
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
    desk.close("MNQ");
    wait_until("flat", || desk.is_flat() && stage.account(0)["positions"].as_array().unwrap().is_empty());

    // Twice: everything is read once a minute anyway.
    for _ in 0..2 {
        let before = reads(&stage);
        sleep(&logind, false);
        patiently(SOON, "everything read again", || (reads(&stage) > before).then_some(()));
    }
    stage.wait_until_protection("armed");
    assert_eq!(stage.engine().errors().matches("this computer woke").count(), 2, "only logind is believed");
}

#[test]
fn a_missing_system_bus_is_no_error() {
    let nobody = tempfile::tempdir().unwrap();
    let mut stage = Stage::with(&Rules::two_mnq());
    stage.start_where(|command| {
        command.env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", nobody.path().join("bus").display()));
    });
    stage.protected();
    stage.wait_until_protection("armed");
    let desk = stage.desk();
    desk.buy("MNQ", 4);
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
}
