//! A kill campaign: peers that publish, read, lock, grow, clear and leave at random, and are killed
//! at random moments; after each kill everything must go on.
//!
//! Bounded by `SOAK_SECONDS` (600) and `SOAK_KILLS` (10,000), whichever comes first. `SOAK_SEED`
//! repeats the choices of an earlier run; when a signal strikes, and who runs meanwhile, is up to
//! the system. Ends with exit code 1, and names the seed, where anything was wrong.

mod campaign;
mod dice;
mod payload;
mod peer;

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
