//! The machine: processor, kernel and load, and the two cores that are used.

use std::fs;

use rustix::thread::CpuSet;

use crate::Outcome;

/// The cores to which the two processes of a contest are pinned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    pub(crate) ours: usize,
    pub(crate) peers: usize,
    /// The number of cores.
    count: usize,
}

impl Cores {
    /// Returns the first two cores that this process may use; the same core twice if there is only
    /// one.
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

/// Pins the calling thread, and the processes that it starts, to a core.
pub(crate) fn pin(core: usize) -> Outcome {
    let mut only = CpuSet::new();
    only.set(core);
    Ok(rustix::thread::sched_setaffinity(None, &only)?)
}

/// Describes the machine in one line.
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

/// Returns the load average of the last minute.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("unknown").to_owned()
}
