//! What processes take of the memory: the proportional share of everything that is mapped, so that sums count
//! nothing twice.

use std::{collections::BTreeMap, fs};

/// A process and everything that it started, directly or not.
pub fn family(id: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").unwrap().map_while(Result::ok) {
        let Ok(process) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // Behind the name, which may hold anything: state, parent.
        let mut words = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let (state, parent) = (words.next(), words.next().and_then(|word| word.parse().ok()));
        if let (true, Some(parent)) = (state != Some("Z"), parent) {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut found = vec![id];
    let mut next = 0;
    while let Some(one) = found.get(next) {
        found.extend(children.get(one).into_iter().flatten().copied().collect::<Vec<_>>());
        next += 1;
    }
    found
}

/// Proportional share of a process in kB; nothing for one that has ended.
pub fn share(id: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
