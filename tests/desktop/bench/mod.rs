//! The throw-away desktop of one test, and the program on it.

pub mod broker;
pub mod browser;
mod host;
pub mod memory;
pub mod screen;

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use zbus::blocking::{Connection, connection};

pub use host::Tray;
use host::{Items, Notifications, Watcher};

/// A notification as the desktop received it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub title: String,
    pub body: String,
    /// 0 low, 1 normal, 2 critical.
    pub urgency: Option<u8>,
}

/// Display, bus and folders of one test; everything ends with it.
pub struct Desktop {
    children: Vec<Child>,
    env: Vec<(String, String)>,
    bus: Connection,
    items: Items,
    shown: Arc<Mutex<Vec<Shown>>>,
    dir: TempDir,
}

impl Desktop {
    /// The test itself receives the notifications.
    pub fn start() -> Self {
        let desktop = Self::without_notifications();
        let path = "/org/freedesktop/Notifications";
        desktop.bus.object_server().at(path, Notifications(Arc::clone(&desktop.shown))).unwrap();
        desktop.bus.request_name("org.freedesktop.Notifications").unwrap();
        desktop
    }

    /// Nobody receives notifications.
    pub fn without_notifications() -> Self {
        Self::with_display("")
    }

    /// As the last, with what is on the screen in a file of its folder.
    pub fn with_screen() -> Self {
        Self::with_display(r#"-fbdir "$(dirname "$0")""#)
    }

    fn with_display(options: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (display, x) = start_display(dir.path(), options);
        let (address, daemon) = start_bus();
        let (items, shown) = (Items::default(), Arc::default());
        let bus = connection::Builder::address(address.as_str())
            .unwrap()
            .serve_at("/StatusNotifierWatcher", Watcher(Arc::clone(&items)))
            .unwrap()
            .name("org.kde.StatusNotifierWatcher")
            .unwrap()
            .build()
            .unwrap();
        let folder = |name: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(&path).unwrap();
            path.display().to_string()
        };
        let env = [
            ("DISPLAY", display),
            ("DBUS_SESSION_BUS_ADDRESS", address),
            ("HOME", folder("user")),
            ("XDG_CONFIG_HOME", folder("user/.config")),
            ("XDG_DATA_HOME", folder("user/data")),
            ("XDG_CACHE_HOME", folder("user/cache")),
            ("XDG_RUNTIME_DIR", folder("run")),
            ("RISK_MANAGER_HOME", folder("home")),
            ("TMPDIR", folder("tmp")),
            ("GDK_BACKEND", "x11".into()),
            ("NO_AT_BRIDGE", "1".into()),
            ("GTK_A11Y", "none".into()),
            ("LIBGL_ALWAYS_SOFTWARE", "1".into()),
            ("LANG", "C.UTF-8".into()),
            ("TZ", "America/Chicago".into()),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Self { children: vec![x, daemon], env, bus, items, shown, dir }
    }

    /// Everything of this desktop lies here.
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// The home that the program serves.
    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// The folder for temporary things.
    pub fn temporary(&self) -> PathBuf {
        self.dir.path().join("tmp")
    }

    /// What its programs have left in the folder for temporary things.
    pub fn left_over(&self) -> Vec<String> {
        let entries = fs::read_dir(self.temporary()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    /// Any program on this desktop.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.envs(self.env.iter().cloned()).env_remove("WAYLAND_DISPLAY");
        command.env_remove("PROJECT_X_USERNAME").env_remove("PROJECT_X_API_KEY");
        command
    }

    /// The program itself.
    pub fn program(&self, args: &[&str]) -> Command {
        let mut command = self.command(&program());
        command.args(args);
        command
    }

    /// The program, running until the test ends.
    pub fn run(&self, args: &[&str]) -> Running {
        Running(self.program(args).spawn().unwrap())
    }

    /// The program with more in its environment.
    pub fn run_with(&self, args: &[&str], env: &[(&str, String)]) -> Running {
        Running(self.program(args).envs(env.iter().cloned()).spawn().unwrap())
    }

    /// The last, without what it says on the terminal.
    pub fn run_quietly(&self, args: &[&str], env: &[(&str, String)]) -> Running {
        let mut command = self.program(args);
        Running(command.envs(env.iter().cloned()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Something that runs until this desktop ends.
    pub fn keep(&mut self, child: Child) {
        self.children.push(child);
    }

    /// The tray icon of the first program, once it has registered.
    pub fn tray(&self) -> Tray<'_> {
        self.tray_of_start(1)
    }

    /// The tray icon of a start of the program, counted from 1.
    pub fn tray_of_start(&self, number: usize) -> Tray<'_> {
        wait("a tray icon", || self.items.lock().unwrap().len() >= number);
        let (owner, path) = self.items.lock().unwrap()[number - 1].clone();
        Tray::new(&self.bus, &owner, &path)
    }

    /// The bus, for what no program of this desktop does.
    pub fn bus(&self) -> &Connection {
        &self.bus
    }

    /// Clicks the notification that was received at this place, counted from 1.
    pub fn click(&self, number: u32) {
        let (path, interface) = ("/org/freedesktop/Notifications", "org.freedesktop.Notifications");
        let click = (number, "default");
        self.bus.emit_signal(None::<&str>, path, interface, "ActionInvoked", &click).unwrap();
    }

    /// The file that starts a program with the login, while there is one.
    pub fn autostart(&self) -> Option<String> {
        fs::read_to_string(self.dir.path().join("user/.config/autostart/risk-manager.desktop")).ok()
    }

    /// Where the trader finds what was saved.
    pub fn user(&self) -> PathBuf {
        self.dir.path().join("user")
    }

    /// Notifications received so far.
    pub fn shown(&self) -> Vec<Shown> {
        self.shown.lock().unwrap().clone()
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_risk-manager");

/// Where another build of the program is to be taken from.
const OTHER_PROGRAM: &str = "RISK_MANAGER_PROGRAM";

/// The program under test, or the build that is to be measured.
pub fn program() -> String {
    env::var(OTHER_PROGRAM).unwrap_or_else(|_| PROGRAM.to_owned())
}

/// A process that ends with the test.
pub struct Running(Child);

impl Running {
    /// Any program, until the test ends.
    pub fn of(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Still there.
    pub fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Its exit code, once it has ended.
    pub fn code(&mut self) -> Option<i32> {
        let mut ended = None;
        wait("the end of the program", || {
            ended = self.0.try_wait().unwrap();
            ended.is_some()
        });
        ended.and_then(|status| status.code())
    }

    /// SIGKILL: nothing of it can tidy up.
    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Asks it to end, as the system does at log-out.
    pub fn terminate(&self) {
        assert!(Command::new("kill").args(["-TERM", &self.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.lives() {
            self.terminate();
            let begun = Instant::now();
            while self.lives() && begun.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(LOOK_AGAIN_AFTER);
            }
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Command lines of the processes that a process has started and that still run.
pub fn children_of(id: u32) -> Vec<String> {
    let listed = Command::new("ps").args(["-o", "stat=,args=", "--ppid", &id.to_string()]).output().unwrap();
    let lines = String::from_utf8_lossy(&listed.stdout).into_owned();
    lines.lines().filter(|line| !line.starts_with('Z')).map(str::to_owned).collect()
}

const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// Until it is so, or the test fails.
pub fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "timed out waiting for {what}");
        std::thread::sleep(LOOK_AGAIN_AFTER);
    }
}

/// The server picks a free number and writes it down when it is ready.
fn start_display(dir: &Path, options: &str) -> (String, Child) {
    let number = dir.join("display");
    let script = format!(r#"exec Xvfb -displayfd 3 -screen 0 1280x900x24 -nolisten tcp {options} 3>"$0""#);
    let x = Command::new("sh")
        .args(["-c", &script])
        .arg(&number)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let read = || fs::read_to_string(&number).unwrap_or_default();
    wait("the display", || read().ends_with('\n'));
    (format!(":{}", read().trim()), x)
}

/// A bus that starts no service by itself: what is absent stays absent.
fn start_bus() -> (String, Child) {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/bare-bus.conf");
    let mut daemon = Command::new("dbus-daemon")
        .arg(format!("--config-file={config}"))
        .args(["--nofork", "--print-address"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
    (address.trim().to_owned(), daemon)
}
