//! Words that may only be written in certain places.

use crate::source::Source;

/// What the core may not even name.
const OUTSIDE_OF_THE_CORE: [&str; 21] = [
    "SystemTime",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "std::fs",
    "std::net",
    "std::io",
    "std::env",
    "std::process",
    "std::thread",
    "std::sync::mpsc",
    "async",
    "await",
    "tokio",
    "rand",
    "HashMap",
    "HashSet",
    "f32",
    "f64",
    "println!",
    "Mutex",
];

/// A word, and the files in which it may stand.
const DOORS: [(&[&str], &[&str]); 9] = [
    // Whatever else names it is loaded into the process with the engine, browser and all.
    (
        &["tauri", "tauri_build", "wry"],
        &["src-tauri/app/window.rs", "src-tauri/app/login.rs", "src-tauri/build.rs"],
    ),
    (&["gtk", "rfd", "tao", "tray_icon"], &["src-tauri/app/"]),
    (&["notify_rust"], &["src-tauri/app/notifier.rs"]),
    (&["rusqlite"], &["src-tauri/store/src/"]),
    (&["reqwest", "tokio_tungstenite", "tungstenite"], &["src-tauri/projectx/src/gateway/"]),
    (&["axum"], &["src-tauri/simulator/src/server/"]),
    (&["keyring::"], &["src-tauri/runtime/src/credentials.rs"]),
    (&["interprocess"], &["src-tauri/runtime/src/control/"]),
    (
        &["SystemTime::now", "Instant::now", "Monotonic::now", "Utc::now", "Local::now"],
        &[
            "src-tauri/runtime/src/",
            "src-tauri/projectx/src/gateway/",
            "src-tauri/simulator/src/server/",
            "src-tauri/cli/src/",
            "src-tauri/app/",
        ],
    ),
];

/// Field names and events as they travel: a sample that no other word of ours looks like.
const ON_THE_WIRE: [&str; 14] = [
    "GatewayUserAccount",
    "GatewayUserOrder",
    "GatewayUserPosition",
    "GatewayUserTrade",
    "GatewayQuote",
    "accountId",
    "contractId",
    "canTrade",
    "fillVolume",
    "creationTimestamp",
    "profitAndLoss",
    "averagePrice",
    "closeContract",
    "searchOpen",
];

fn naming(places: &[&str], words: &[&str]) -> Vec<String> {
    let sources = Source::of_product(places);
    sources.iter().flat_map(|it| words.iter().flat_map(|word| it.naming(word))).collect()
}

#[test]
fn the_core_is_pure() {
    let found = naming(&["src-tauri/domain/src/", "src-tauri/engine/src/"], &OUTSIDE_OF_THE_CORE);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn each_kind_of_outside_has_one_door() {
    for (words, doors) in DOORS {
        let found = naming(&["src-tauri/"], words);
        let is_through = |line: &&String| !doors.iter().any(|door| line.starts_with(door));
        assert!(found.len() >= doors.len(), "{words:?} are not used: the list is old");
        let elsewhere: Vec<&String> = found.iter().filter(is_through).collect();
        assert!(elsewhere.is_empty(), "not through the door {doors:?}:\n{elsewhere:#?}");
    }
}

#[test]
fn the_broker_is_named_in_its_crate_only() {
    let inner = ["domain", "engine", "runtime", "store", "views"].map(|it| format!("src-tauri/{it}/src/"));
    let inner: Vec<&str> = inner.iter().map(String::as_str).collect();
    let lower = |sources: Vec<Source>| sources.into_iter().map(|it| (it.code().to_lowercase(), it.path));
    for (code, path) in lower(Source::of_product(&inner)) {
        assert!(!code.contains("projectx"), "{path} names the broker's gateway");
        // What people read on sample pictures is no knowledge of a broker.
        let is_sample = path == "src-tauri/views/src/sample.rs";
        assert!(is_sample || !code.contains("topstep"), "{path} names the broker");
    }
    let outer = ["config/src/", "cli/src/", "app/"].map(|it| format!("src-tauri/{it}"));
    let others: Vec<&str> = inner.iter().copied().chain(outer.iter().map(String::as_str)).collect();
    let found = naming(&others, &ON_THE_WIRE);
    // They hold the product against the simulator's own side of the wire.
    let from_outside = ["src-tauri/cli/src/bench.rs", "src-tauri/cli/src/world/"];
    let is_inside = |it: &&String| from_outside.iter().all(|path| !it.starts_with(path));
    let inside: Vec<&String> = found.iter().filter(is_inside).collect();
    assert!(inside.is_empty(), "words of the wire:\n{inside:#?}");
    let at_home = naming(&["src-tauri/projectx/src/", "src-tauri/simulator/src/"], &ON_THE_WIRE);
    assert!(at_home.len() > ON_THE_WIRE.len(), "the list is old");
}
