//! A kill campaign: peers publish, read, lock, grow, clear and detach at random, and are killed at
//! random moments; after each kill every operation must work.
//!
//! It ends after `SOAK_SECONDS` (600) or `SOAK_KILLS` (10,000), whichever is reached first.
//! `SOAK_SEED` repeats the choices of an earlier run; the moment of a kill, and which process runs
//! at that moment, depend on the scheduler. On an error it exits with code 1 and prints the seed.

mod campaign;
mod payload;
mod peer;
mod rng;

use std::{
    env,
    error::Error,
    fmt::Display,
    process::ExitCode,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use campaign::{Campaign, Limits};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let ended = match arguments.as_slice() {
        [role, seed] if role == "peer" => peer::run(seed),
        [] => soak(),
        _ => Err("usage: soak, without arguments; see SOAK_SECONDS, SOAK_KILLS, SOAK_SEED".into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

fn soak() -> Result<(), Box<dyn Error>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let seed = setting("SOAK_SEED", u64::from(now.subsec_nanos()))?;
    let limits = Limits {
        time: Duration::from_secs(setting("SOAK_SECONDS", 600)?),
        kills: setting("SOAK_KILLS", 10_000)?,
    };
    println!("seed {seed}: SOAK_SEED={seed} repeats its choices");
    let campaign = Campaign::new(seed, limits)?;
    let figures = campaign
        .run()
        .map_err(|error| format!("with SOAK_SEED={seed}: {error}"))?;
    println!("{figures}");
    Ok(())
}

fn setting<T>(name: &str, default: T) -> Result<T, String>
where
    T: FromStr<Err: Display>,
{
    match env::var(name) {
        Ok(value) => value
            .parse()
            .map_err(|error| format!("{name}={value}: {error}; give a number")),
        Err(_) => Ok(default),
    }
}
