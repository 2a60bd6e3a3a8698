//! The machine: which processor and kernel, how busy, and which two cores we use of it.

use std::fs;

use rustix::thread::CpuSet;

use crate::Outcome;

/// The cores that the two processes of a contest are kept on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    pub(crate) ours: usize,
    pub(crate) peers: usize,
    /// How many there are.
    count: usize,
}

impl Cores {
    /// The first two that this process may use; the same twice where there is one only.
    pub(crate) fn find() -> Outcome<Self> {
        let allowed = rustix::thread::sched_getaffinity(None)?;
        let cores: Vec<usize> = (0..CpuSet::MAX_CPU)
            .filter(|&core| allowed.is_set(core))
            .collect();
        let ours = *cores.first().ok_or("no core may be used")?;
        Ok(Self {
            ours,
            peers: cores.get(1).copied().unwrap_or(ours),
            count: cores.len(),
        })
    }
}

/// Keeps the calling thread, and the processes that it starts, on a core.
pub(crate) fn pin(core: usize) -> Outcome {
    let mut only = CpuSet::new();
    only.set(core);
    Ok(rustix::thread::sched_setaffinity(None, &only)?)
}

/// One line about the machine.
pub(crate) fn describe(cores: Cores) -> String {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let info = text("/proc/cpuinfo");
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| {
            rest.trim_start_matches([' ', '\t', ':'])
        });
    let kernel = text("/proc/sys/kernel/osrelease");
    let Cores { ours, peers, count } = cores;
    format!(
        "{model}, {count} cores, Linux {}; pinned to cores {ours} and {peers}",
        kernel.trim()
    )
}

/// The load of the last minute: what else was running.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("unknown").to_owned()
}
