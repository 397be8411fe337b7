//! What the desktop program costs and how fast it is, on a display, a bus and a home of its own: memory in
//! each state of the window, time from a click in the tray to a painted page, enforcement latency whatever the
//! page does. Started by `scripts/measure-desktop`, which says what must be installed. Judges nothing: the figures
//! depend on the machine.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench that cannot be set up has nothing to tell")]
#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "shared with the tests")]
mod bench;

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use bench::{
    Desktop, Running, Tray,
    broker::Broker,
    browser::Browser,
    memory::{family, share},
    screen::Screen,
    wait,
};
use domain::OrderSide;
use simulator::{Ticket, Trader, gateway::Kind};

/// Background of the banner while protection is armed, in the light theme (`--armed-bg` of the pages): it is
/// painted when the engine's first picture is.
const ARMED: [u8; 3] = [0xea, 0xf5, 0xf0];
/// So many points of every eighth line are a banner.
const PAINTED: usize = 1_000;
const OPENINGS: usize = 12;
/// Enforcements in each series.
const BREACHES: usize = 100;
/// Between two breaches of one program: sooner after a close of its own it looks before it sends the next one, and so
/// many looks would use up its budget of requests.
const PACE: Duration = Duration::from_millis(2_100);

fn main() {
    let load = fs::read_to_string("/proc/loadavg").unwrap();
    println!("Program: {}", bench::program());
    println!("Load of this machine before: {}", load.trim());
    memory_and_opening();
    latency();
}

/// The program with its engine on one simulated account, protected, and a window manager that can close.
fn protected(desktop: &mut Desktop, broker: &Broker, rules: &[(&str, &str)]) -> Running {
    let quiet =
        |program: &str| desktop.command(program).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let manager = quiet("openbox");
    desktop.keep(manager);
    broker.settings(&desktop.home(), rules);
    broker.is_known_to(desktop);
    desktop.run_quietly(&[], &broker.login())
}

fn memory_and_opening() {
    let (broker, mut desktop) = (Broker::start(1), Desktop::with_screen());
    let program = protected(&mut desktop, &broker, &[]);
    let tray = desktop.tray_of_start(2);
    wait("protection", || tray.state().starts_with("Armed"));
    let screen = Screen::of(desktop.folder());

    let never = settled(program.id());
    let mut openings = vec![];
    open(&tray, &screen, &mut openings);
    let open_now = settled(program.id());
    close(&desktop, &program, &screen);
    let closed = settled(program.id());
    while openings.len() < OPENINGS {
        open(&tray, &screen, &mut openings);
        close(&desktop, &program, &screen);
    }
    let closed_often = settled(program.id());

    println!("\nMemory (PSS, MB, all processes of the program)");
    println!("{:<44}{:>8}{:>12}", "", "MB", "processes");
    let row = |name: &str, (kilobytes, processes): (u64, usize)| {
        println!("{name:<44}{:>8.1}{processes:>12}", megabytes(kilobytes));
    };
    row("tray and engine, window never opened", never);
    row("window open", open_now);
    row("window closed again", closed);
    row(&format!("window opened and closed {OPENINGS} times"), closed_often);
    let over = |kilobytes: u64| (megabytes(kilobytes) / megabytes(never.0) - 1.0) * 100.0;
    println!(
        "closed again against never opened: {:+.1} %, after {OPENINGS} times {:+.1} %",
        over(closed.0),
        over(closed_often.0)
    );

    println!("\nFrom the click on \"Open Status\" to the painted protection (ms, {OPENINGS} times)");
    let first = openings[0];
    openings.sort_unstable();
    println!(
        "first {}   median {}   longest {}",
        first.as_millis(),
        at(&openings, 50).as_millis(),
        at(&openings, 100).as_millis()
    );
}

fn megabytes(kilobytes: u64) -> f64 {
    f64::from(u32::try_from(kilobytes).unwrap()) / 1024.0
}

/// The sum over the program's processes, in kB, once it has stopped changing; and how many they are.
fn settled(program: u32) -> (u64, usize) {
    const ALIKE: usize = 6;
    let begun = Instant::now();
    let mut sums: Vec<u64> = vec![];
    loop {
        let processes = family(program);
        sums.push(processes.iter().copied().map(share).sum());
        let last = &sums[sums.len().saturating_sub(ALIKE)..];
        let (least, most) = (*last.iter().min().unwrap(), *last.iter().max().unwrap());
        let is_calm = last.len() == ALIKE && most - least <= most / 100;
        if is_calm || begun.elapsed() > Duration::from_secs(60) {
            return (*last.last().unwrap(), processes.len());
        }
        thread::sleep(Duration::from_millis(500));
    }
}

fn open(tray: &Tray<'_>, screen: &Screen, openings: &mut Vec<Duration>) {
    let begun = Instant::now();
    tray.choose("Open Status");
    let mut painted = false;
    while !painted {
        painted = screen.count(ARMED) >= PAINTED;
        assert!(begun.elapsed() < Duration::from_secs(30), "no window was painted");
    }
    openings.push(begun.elapsed());
}

/// As a trader closes it; waits until nothing of it is left.
fn close(desktop: &Desktop, program: &Running, screen: &Screen) {
    let xdotool = |args: &[&str]| {
        assert!(desktop.command("xdotool").args(args).status().unwrap().success());
    };
    xdotool(&["search", "--onlyvisible", "--name", "^Risk Manager$", "windowactivate", "--sync"]);
    // To whatever is in front: only such a key is seen by the window manager.
    xdotool(&["key", "alt+F4"]);
    wait("the window to be gone", || family(program.id()).len() == 1 && screen.count(ARMED) == 0);
}

/// Whatever else this machine does meets all of them alike: they take turns, breach by breach.
fn latency() {
    let [mut alone, mut watched, mut hung, mut stopped] = [(); 4].map(|()| Traded::start());
    let windows = [&watched, &hung, &stopped].map(|one| Browser::open(&one.desktop, &[]));
    windows.iter().for_each(|window| window.shows("Armed"));
    windows[1].hang();
    let processes: Vec<u32> = family(windows[2].driver()).into_iter().skip(1).collect();
    signal("-STOP", &processes);
    let mut rows = [
        ("no window", &mut alone, vec![]),
        ("window open", &mut watched, vec![]),
        ("page hung (a script that never ends)", &mut hung, vec![]),
        ("all processes of the window stopped", &mut stopped, vec![]),
    ];
    for _ in 0..BREACHES {
        let begun = Instant::now();
        for (_, traded, took) in &mut rows {
            took.push(traded.breach());
        }
        thread::sleep(PACE.saturating_sub(begun.elapsed()));
    }
    println!(
        "\nEnforcement latency (ms): from the fill that breaks a limit, handed to the program's socket, to the"
    );
    println!("arrival of its close at the broker; {BREACHES} breaches in each row, in turns");
    println!("{:<44}{:>8}{:>8}{:>8}", "", "median", "P99", "longest");
    for (name, _, mut all) in rows {
        all.sort_unstable();
        let shown = [50, 99, 100].map(|percent| at(&all, percent).as_secs_f64() * 1_000.0);
        println!("{name:<44}{:>8.2}{:>8.2}{:>8.2}", shown[0], shown[1], shown[2]);
    }
    signal("-CONT", &processes);
    // A hung page answers no driver.
    for window in &windows {
        signal("-KILL", &family(window.driver())[1..]);
    }
}

/// A program that protects an account, and the trader who breaks its limit.
struct Traded {
    trader: Trader,
    _program: Running,
    desktop: Desktop,
    broker: Broker,
}

impl Traded {
    fn start() -> Self {
        let (broker, mut desktop) = (Broker::start(1), Desktop::start());
        let one = [("max_contracts_per_instrument", "{default_limit: 1000, instrument_limits: {MNQ: 1}}")];
        let program = protected(&mut desktop, &broker, &one);
        {
            let tray = desktop.tray_of_start(2);
            wait("protection", || tray.state().starts_with("Armed"));
        }
        let trader = broker.with(|gateway, _| Trader::new(gateway));
        Self { trader, _program: program, desktop, broker }
    }

    /// One contract more than allowed is bought and taken back by the program; the rest is sold by the trader.
    fn breach(&mut self) -> Duration {
        let Self { broker, trader, .. } = self;
        let account = broker.account();
        let (contract, before) = broker.with(|gateway, now| {
            let contract = gateway.front_contract("MNQ").unwrap().to_owned();
            let before = gateway.journal().after(0).last().map_or(0, |row| row.seq);
            trader.place(gateway, now, &Ticket::market(account, &contract, OrderSide::Buy, 2)).unwrap();
            (contract, before)
        });
        wait("the close", || broker.truth().0 == 1);
        broker.with(|gateway, now| {
            let rows: Vec<_> = gateway.journal().after(before).collect();
            let told = rows.iter().find(|row| {
                let what = row.target.as_deref();
                row.kind == Kind::Event && matches!(what, Some("GatewayUserTrade" | "GatewayUserPosition"))
            });
            let is_close = |path: &str| path.ends_with("/partialCloseContract");
            let closed = rows.iter().find(|row| row.path.as_deref().is_some_and(is_close));
            let nanoseconds = closed.unwrap().at_ns - told.unwrap().at_ns;
            trader.close(gateway, now, (account, &contract), None).unwrap();
            Duration::from_nanos(nanoseconds.try_into().unwrap())
        })
    }
}

/// The value below which so many of a hundred lie, of sorted ones.
fn at(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent).div_ceil(100) - 1]
}

fn signal(name: &str, processes: &[u32]) {
    let ids = processes.iter().map(u32::to_string);
    assert!(Command::new("kill").arg(name).args(ids).status().unwrap().success());
}
