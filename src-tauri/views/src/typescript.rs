//! The pages' types and sample views are made here, and a stale one fails this test.
//!
//! `UPDATE_EXPECT=1 cargo test -p views typescript` writes them anew.

use std::{collections::BTreeMap, fs, path::Path};

use ts_rs::{Config, TS};

use crate::{
    control::{Request, Response},
    sample,
};

const TYPES: &str = "../../ui/src/lib/types";
const SAMPLES: &str = "../../ui/src/lib/fake/views";

type Files = BTreeMap<String, String>;

#[test]
fn the_pages_types_are_current() {
    let dir = tempfile::tempdir().unwrap();
    // Numbers of requests and of the chain stay far below 2^53.
    let config = Config::new().with_large_int("number").with_out_dir(dir.path());
    Request::export_all(&config).unwrap();
    Response::export_all(&config).unwrap();
    check(&files(dir.path()), Path::new(TYPES));
}

#[test]
fn the_pages_sample_views_are_current() {
    let json = |view| serde_json::to_string_pretty(&view).unwrap() + "\n";
    let made = sample::all().into_iter().map(|(name, view)| (format!("{name}.json"), json(view))).collect();
    check(&made, Path::new(SAMPLES));
}

fn check(made: &Files, dir: &Path) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let _ = fs::remove_dir_all(dir);
        fs::create_dir_all(dir).unwrap();
        made.iter().for_each(|(name, text)| fs::write(dir.join(name), text).unwrap());
    }
    let kept = if dir.exists() { files(dir) } else { Files::new() };
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&kept), names(made), "{}: run with UPDATE_EXPECT=1", dir.display());
    for (name, text) in made {
        assert_eq!(&kept[name], text, "{name} is stale: run with UPDATE_EXPECT=1");
    }
}

fn files(dir: &Path) -> Files {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: std::path::PathBuf| {
        (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
    };
    entries.map(named).collect()
}
