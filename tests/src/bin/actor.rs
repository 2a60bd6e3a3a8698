//! A scripted peer: does with the library what each line of its standard input says.
//!
//! Answers each line with one line, `ok …` or `error …`, so that a test waits
//! for answers and never for time. Takes the key as its argument; the
//! directory comes from `SHM_CORE_DIR`.

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::time::Duration;

use shm_core::{
    Guard, Key, Loan, Locked, Metadata, Options, Publisher, ReadWrite, Sample, SharedMemory,
    Subscriber,
};

/// What a reader checks: each byte is the low byte of the first eight, which are a number.
fn fill(bytes: &mut [u8], number: u64) {
    bytes.fill(number.to_le_bytes()[0]);
    bytes[..8].copy_from_slice(&number.to_le_bytes());
}

fn main() -> Result<(), Box<dyn Error>> {
    let key = Key::new(&std::env::args().nth(1).ok_or("the key is missing")?)?;
    let actor = Actor {
        key,
        options: Options::new(),
    };
    let mut hands = Hands::default();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match actor.act(&words, &mut hands) {
            Ok(answer) => println!("ok {answer}"),
            Err(error) => println!("error {error}"),
        }
        io::stdout().flush()?;
    }
    Ok(())
}

struct Actor {
    key: Key,
    options: Options,
}

/// What the actor holds on to from one line to the next. Handles are leaked
/// where a guard or a loan borrows them: an actor does not live long.
#[derive(Default)]
struct Hands {
    block: Option<&'static SharedMemory<ReadWrite>>,
    guard: Option<Guard<'static, ReadWrite>>,
    publisher: Option<&'static Publisher>,
    loans: Vec<Loan<'static>>,
    subscriber: Option<Subscriber>,
    samples: Vec<Sample>,
}

impl Actor {
    fn act(&self, words: &[&str], hands: &mut Hands) -> Result<String, Box<dyn Error>> {
        match *words {
            ["create", size] => {
                let block = SharedMemory::create(&self.key, size.parse()?, &self.options)?;
                hands.block = Some(Box::leak(Box::new(block)));
            }
            ["attach"] => {
                let block = SharedMemory::attach(&self.key, &self.options)?;
                hands.block = Some(Box::leak(Box::new(block)));
            }
            ["lock", milliseconds] => {
                let block = hands.block.ok_or("not attached")?;
                let patience = Duration::from_millis(milliseconds.parse()?);
                return Ok(match block.lock_timeout(patience)? {
                    Locked::Clean(guard) => {
                        hands.guard = Some(guard);
                        "clean".into()
                    }
                    Locked::Abandoned(abandoned) => {
                        hands.guard = Some(abandoned.repaired());
                        "abandoned".into()
                    }
                });
            }
            ["unlock"] => hands.guard = None,
            ["count", rounds] => {
                let block = hands.block.ok_or("not attached")?;
                for _ in 0..rounds.parse::<u64>()? {
                    let mut guard = block.lock()?.ignore_abandonment();
                    let seen: u64 = guard.read(0)?;
                    guard.write(0, &(seen + 1))?;
                }
            }
            ["number"] => {
                let block = hands.block.ok_or("not attached")?;
                let number: u64 = block.lock()?.ignore_abandonment().read(0)?;
                return Ok(number.to_string());
            }
            _ => return self.act_on_samples(words, hands),
        }
        Ok(String::new())
    }

    fn act_on_samples(&self, words: &[&str], hands: &mut Hands) -> Result<String, Box<dyn Error>> {
        match *words {
            ["open"] => {
                let publisher = Publisher::open(&self.key, &self.options)?;
                hands.publisher = Some(Box::leak(Box::new(publisher)));
            }
            ["loan", size] => {
                let publisher = hands.publisher.ok_or("no publisher")?;
                let mut loan = publisher.loan(size.parse()?)?;
                fill(&mut loan, 255);
                hands.loans.push(loan);
            }
            ["publish", number, size] => {
                let publisher = hands.publisher.ok_or("no publisher")?;
                publish(publisher, number.parse()?, size.parse()?)?;
            }
            ["flood", size] => {
                // Until killed: sizes around the given one, small ones among them.
                let publisher = hands.publisher.ok_or("no publisher")?;
                let size: usize = size.parse()?;
                println!("ok flooding");
                io::stdout().flush()?;
                for number in 1.. {
                    let divisor = [1, 2, 40, 3][usize::try_from(number % 4)?];
                    publish(publisher, number, (size / divisor).max(8))?;
                }
            }
            ["subscribe"] => {
                hands.subscriber = Some(Subscriber::attach(&self.key, &self.options)?);
            }
            ["pin"] => {
                let subscriber = hands.subscriber.as_mut().ok_or("no subscriber")?;
                let sample = subscriber.latest()?.ok_or("nothing there")?;
                let generation = sample.generation();
                hands.samples.push(sample);
                return Ok(generation.to_string());
            }
            ["wait", milliseconds] => {
                let subscriber = hands.subscriber.as_mut().ok_or("no subscriber")?;
                let patience = Duration::from_millis(milliseconds.parse()?);
                return Ok(format!("{:?}", subscriber.wait(Some(patience))?));
            }
            _ => return Err(format!("unknown: {words:?}").into()),
        }
        Ok(String::new())
    }
}

fn publish(publisher: &Publisher, number: u64, size: usize) -> Result<(), Box<dyn Error>> {
    let mut loan = publisher.loan(size)?;
    fill(&mut loan, number);
    loan.publish(&Metadata::Bytes {
        media_type: "application/octet-stream".into(),
        source: None,
    })?;
    Ok(())
}
