//! Who depends on whom, from `cargo metadata`.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

use crate::source::root;

/// The crates of the house and what each may know, tests left out.
const ARROWS: [(&str, &[&str]); 10] = [
    ("domain", &[]),
    ("engine", &["domain"]),
    ("config", &["domain"]),
    ("views", &["domain"]),
    ("store", &["domain"]),
    ("projectx", &["domain"]),
    ("runtime", &["config", "domain", "engine", "store", "views"]),
    ("simulator", &["domain", "projectx"]),
    ("riskctl", &["config", "domain", "engine", "projectx", "runtime", "simulator", "store", "views"]),
    ("risk-manager", &["config", "domain", "engine", "projectx", "runtime", "simulator", "store", "views"]),
];

/// What makes a program one with a window.
const WINDOWS: [&str; 10] = [
    "tauri",
    "tauri-runtime-wry",
    "wry",
    "tao",
    "tray-icon",
    "gtk",
    "gtk-sys",
    "webkit2gtk",
    "rfd",
    "notify-rust",
];

/// What decides nothing may not be known where decisions are made.
const OUTSIDE: [&str; 6] = ["tokio", "reqwest", "rusqlite", "tauri", "tracing", "tungstenite"];

/// Libraries that only these crates may name: one door for each kind of outside.
const DOORS: [(&str, &[&str]); 8] = [
    ("tauri", &["risk-manager"]),
    ("notify-rust", &["risk-manager"]),
    ("rusqlite", &["store"]),
    ("reqwest", &["projectx"]),
    ("tokio-tungstenite", &["projectx"]),
    ("axum", &["simulator"]),
    ("keyring", &["runtime"]),
    ("interprocess", &["runtime"]),
];

#[test]
fn the_arrows_hold() {
    let house = House::read();
    let drawn: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    let built: BTreeSet<&str> = house.own.keys().map(String::as_str).collect();
    assert_eq!(built, drawn, "a crate came or went: draw it");
    for (name, may_know) in ARROWS {
        for known in house.direct(name).iter().filter(|it| drawn.contains(it.as_str())) {
            assert!(may_know.contains(&known.as_str()), "{name} knows {known}");
        }
    }
    for name in ["domain", "engine"] {
        let all = house.all(name);
        assert!(all.contains("rust_decimal"), "the graph of {name} is not read: {all:?}");
        for outside in OUTSIDE {
            assert!(!all.contains(outside), "{name} reaches {outside}");
        }
    }
    let all = house.all("riskctl");
    assert!(all.contains("tokio") && all.contains("rusqlite"), "the graph is not read: {all:?}");
    for window in WINDOWS {
        assert!(!all.contains(window), "riskctl links {window}");
    }
    assert!(house.all("risk-manager").contains("tauri"));
}

#[test]
fn each_library_of_the_outside_is_named_by_one_crate() {
    let house = House::read();
    for (library, doors) in DOORS {
        let users: Vec<&str> = ARROWS
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| house.direct(name).contains(library))
            .collect();
        assert_eq!(users, doors, "{library}");
    }
}

/// The graph of the build on this system, dependencies of tests left out.
struct House {
    names: BTreeMap<PackageId, String>,
    arrows: BTreeMap<PackageId, Vec<PackageId>>,
    own: BTreeMap<String, PackageId>,
}

impl House {
    fn read() -> Self {
        let metadata = metadata();
        let own = metadata.workspace_packages();
        let own = own.iter().map(|it| (it.name.to_string(), it.id.clone())).collect();
        let names = metadata.packages.iter().map(|it| (it.id.clone(), it.name.to_string())).collect();
        let mut arrows = BTreeMap::new();
        for node in &metadata.resolve.unwrap().nodes {
            let is_built_in = |it: &&cargo_metadata::NodeDep| {
                it.dep_kinds.iter().any(|it| it.kind == DependencyKind::Normal)
            };
            let known = node.deps.iter().filter(is_built_in).map(|it| it.pkg.clone()).collect();
            arrows.insert(node.id.clone(), known);
        }
        Self { names, arrows, own }
    }

    /// What a crate names itself.
    fn direct(&self, name: &str) -> BTreeSet<String> {
        self.arrows[&self.own[name]].iter().map(|id| self.names[id].clone()).collect()
    }

    /// Everything that is linked into a crate.
    fn all(&self, name: &str) -> BTreeSet<String> {
        let mut met = BTreeSet::new();
        let mut next = vec![&self.own[name]];
        while let Some(id) = next.pop() {
            if met.insert(id) {
                next.extend(&self.arrows[id]);
            }
        }
        met.into_iter().map(|id| self.names[id].clone()).collect()
    }
}

/// Of this system only: what another one needs may not be here.
fn metadata() -> Metadata {
    let said = Command::new("rustc").arg("-vV").output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--locked", "--filter-platform", host].map(str::to_string))
        .exec()
        .unwrap()
}
