//! qt-bridge compared with Qt: the lock, and a text of 64 MB as a `QString`.

use std::hint::black_box;
use std::process::{self, Command};
use std::time::Duration;

use qt_bridge::{Form, QtKey, Segment, Stream};
use shm_core::Message;

use super::{Arena, timed};
use crate::Outcome;
use crate::peer::Peer;
use crate::report::{Goal, Report, Unit};
use crate::round::{Contender, Rounds};
use crate::spread::Of;

const OURS: &str = "ours: qt-bridge";
const QT: &str = "Qt (QSharedMemory, SystemV)";
const QT_STREAM: &str = "Qt: QDataStream and UTF-8";
const COPY: &str = "memcpy of the stream";
const PATIENCE: Duration = Duration::from_secs(1);
/// Pairs for each figure, and figures for each turn.
const PAIRS: u32 = 5_000;
const FIGURES: usize = 5;
/// The number of characters of a text with 64 MB of UTF-16.
const CHARACTERS: usize = 32 << 20;

/// A text; `qt/peer.cpp` repeats the same words.
struct Text {
    name: &'static str,
    words: &'static str,
    goals: [&'static str; 2],
}

const TEXTS: [Text; 2] = [
    Text {
        name: "ascii",
        words: "0123456789abcdef",
        goals: ["qstring_write_ascii", "qstring_read_ascii"],
    },
    Text {
        name: "chinese",
        words: "共享内存程序交换",
        goals: ["qstring_write_chinese", "qstring_read_chinese"],
    },
];

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    let Some(program) = &arena.qt else {
        return Ok(());
    };
    let mut qt = Peer::of(Command::new(program))?;
    lock(arena, report, &mut qt)?;
    for text in TEXTS {
        write(arena, report, &mut qt, &text)?;
        read(arena, report, &mut qt, &text)?;
    }
    Ok(())
}

fn lock(arena: &Arena, report: &mut Report, qt: &mut Peer) -> Outcome {
    let key: QtKey = format!("qt:peer-bench.bridge.{}", process::id()).parse()?;
    let mut segment = Segment::create(&key, 64, PATIENCE)?;
    let mut figure = || {
        let (done, nanoseconds) = timed(|| {
            for _ in 0..PAIRS {
                drop(segment.lock(PATIENCE)?);
            }
            Outcome::Ok(())
        });
        done.map(|()| nanoseconds / f64::from(PAIRS))
    };
    let contenders = vec![
        Contender::new(OURS, || (0..FIGURES).map(|_| figure()).collect()),
        Contender::new(QT, || {
            let answer = qt.ask(&format!("lock {PAIRS} {FIGURES}"))?;
            let figures: Result<_, _> = answer.split(' ').map(str::parse).collect();
            Ok(figures?)
        }),
    ];
    let rounds = Rounds::play(arena.rounds(21), contenders)?;
    report.rounds("Qt's lock + unlock", Unit::Time, QT, &rounds);
    let goal = Goal::AtMost(1.05);
    report.judge("qt_lock", &rounds, (OURS, QT), Of::Median, goal);
    Ok(())
}

fn write(arena: &Arena, report: &mut Report, qt: &mut Peer, text: &Text) -> Outcome {
    let message = text.message();
    let bytes = Stream::new(&message, Form::QString)?.to_vec();
    let (mut copied, mut written) = (bytes.clone(), bytes.clone());
    let contenders = vec![
        Contender::new(COPY, || {
            let ((), nanoseconds) = timed(|| copied.copy_from_slice(black_box(&bytes)));
            Ok(vec![nanoseconds])
        }),
        Contender::new(OURS, || {
            written.fill(0);
            let (done, nanoseconds) = timed(|| {
                let stream = Stream::new(black_box(&message), Form::QString)?;
                Outcome::Ok(stream.write_to(&mut written.as_mut_slice())?)
            });
            done?;
            checked(written == bytes, nanoseconds)
        }),
        Contender::new(QT_STREAM, || ask(qt, "write", text)),
    ];
    let rounds = Rounds::play(arena.rounds(11), contenders)?;
    let title = format!("write a QString of 64 MB, {}", text.name);
    report.rounds(&title, Unit::Time, COPY, &rounds);
    let goal = Goal::AtMost(1.0);
    report.judge(text.goals[0], &rounds, (OURS, QT_STREAM), Of::Median, goal);
    Ok(())
}

fn read(arena: &Arena, report: &mut Report, qt: &mut Peer, text: &Text) -> Outcome {
    let message = text.message();
    let bytes = Stream::new(&message, Form::QString)?.to_vec();
    let mut copied = bytes.clone();
    let contenders = vec![
        Contender::new(COPY, || {
            let ((), nanoseconds) = timed(|| copied.copy_from_slice(black_box(&bytes)));
            Ok(vec![nanoseconds])
        }),
        Contender::new(OURS, || {
            let (value, nanoseconds) = timed(|| Form::QString.read(black_box(&bytes)));
            checked(
                value?.into_message().as_ref() == Some(&message),
                nanoseconds,
            )
        }),
        Contender::new(QT_STREAM, || ask(qt, "read", text)),
    ];
    let rounds = Rounds::play(arena.rounds(11), contenders)?;
    let title = format!("read a QString of 64 MB, {}", text.name);
    report.rounds(&title, Unit::Time, COPY, &rounds);
    let goal = Goal::AtMost(1.0);
    report.judge(text.goals[1], &rounds, (OURS, QT_STREAM), Of::Median, goal);
    Ok(())
}

impl Text {
    fn message(&self) -> Message {
        let characters = self.words.chars().count();
        Message::Text(self.words.repeat(CHARACTERS / characters))
    }
}

fn checked(is_same: bool, nanoseconds: f64) -> Outcome<Vec<f64>> {
    if is_same {
        Ok(vec![nanoseconds])
    } else {
        Err("another text came".into())
    }
}

fn ask(qt: &mut Peer, what: &str, text: &Text) -> Outcome<Vec<f64>> {
    let answer = qt.ask(&format!("{what} {CHARACTERS} {}", text.words))?;
    Ok(vec![answer.parse()?])
}
