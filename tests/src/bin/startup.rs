//! Measures how soon the two windows are drawn and show content, and how much memory they take, in
//! alternation with the dialog of Qt's example: `startup`.

use std::{
    collections::BTreeSet,
    fmt, fs,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use e2e_tests::{Area, Desktop, Fixture, Launch, Program, QtExample, Window, demo_image};
use image::{Rgb, RgbImage};

/// How often each program is started, and how often each is clicked.
const STARTS: usize = 15;
const CLICKS: usize = 7;
/// The polling interval; one poll costs a fraction of it.
const POLL_INTERVAL: Duration = Duration::from_millis(1);
/// By then a window that has drawn itself has finished its start.
const REST: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let (Some(bare), Some(desktop)) = (Desktop::bare(), Desktop::open()) else {
        return ExitCode::FAILURE;
    };
    let fixture = Fixture::new();
    let (Some(starts), Some(clicks)) = (
        measure_starts(&bare, &fixture),
        measure_clicks(&desktop, &fixture),
    ) else {
        return ExitCode::FAILURE;
    };
    let [loader, viewer, qt] = &starts;
    println!("                          SharedMemoryLoad      ShowSharedMem         Qt's example");
    let row = |name: &str, column: fn(&Starts) -> Spread| {
        let [loader, viewer, qt] = [loader, viewer, qt].map(column);
        let ratio = loader.median().max(viewer.median()) / qt.median();
        println!("{name:<26}{loader:<22}{viewer:<22}{qt:<22}{ratio:.2}");
    };
    row("start to drawn, ms", |starts| starts.drawn.clone());
    row("resident memory, MB", |starts| starts.resident.clone());
    row("of its own, MB", |starts| starts.private.clone());
    row("program, libraries, MB", |starts| starts.files.clone());
    let [ours, theirs] = &clicks;
    let ratio = ours.median() / theirs.median();
    println!(
        "{:<48}{ours:<22}{theirs:<22}{ratio:.2}",
        "click to shown (1080p), ms"
    );
    ExitCode::SUCCESS
}

/// The measurements of one program's starts.
#[derive(Default)]
struct Starts {
    drawn: Spread,
    resident: Spread,
    private: Spread,
    files: Spread,
}

/// Measurements of one kind.
#[derive(Clone, Default)]
struct Spread(Vec<f64>);

impl Spread {
    fn take(&mut self, figure: f64) {
        self.0.push(figure);
        self.0.sort_by(f64::total_cmp);
    }

    fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }
}

/// Writes `12.3 (11.9 to 15.0)`.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [least, median, most] = [0, self.0.len() / 2, self.0.len() - 1].map(|at| self.0[at]);
        let words = if least.to_bits() == most.to_bits() {
            format!("{median:.1}")
        } else {
            format!("{median:.1} ({least:.1} to {most:.1})")
        };
        f.pad(&words)
    }
}

/// Starts the three programs in alternation, on a display without a window manager, whose frames
/// would be drawn first.
fn measure_starts(desktop: &Desktop, fixture: &Fixture) -> Option<[Starts; 3]> {
    let mut all: [Starts; 3] = Default::default();
    for round in 0..=STARTS {
        for (starts, launch) in all.iter_mut().zip(contenders(fixture)?) {
            let (program, drawn) = start(desktop, launch.on(desktop));
            thread::sleep(REST);
            let [resident, private] = memory(&program);
            let files = code(&program);
            drop(program.terminate());
            // The first one reads the files from the disk into the page cache.
            if round > 0 {
                starts.drawn.take(milliseconds(drawn));
                starts.resident.take(resident);
                starts.private.take(private);
                starts.files.take(files);
            }
        }
    }
    Some(all)
}

fn contenders(fixture: &Fixture) -> Option<[Launch; 3]> {
    Some([
        fixture.bare_loader::<&str>([]),
        fixture.bare_viewer::<&str>([]),
        QtExample::launch(&fixture.path(""))?,
    ])
}

/// Starts a program, and returns it with the time until its first pixel was visible.
fn start(desktop: &Desktop, launch: Launch) -> (Program, Duration) {
    let frame_probe = desktop.frame_probe();
    time_until("an empty display", || frame_probe.is_black());
    let began = Instant::now();
    let program = launch.start();
    time_until("a window", || !frame_probe.is_black());
    (program, began.elapsed())
}

fn time_until(what: &str, condition: impl Fn() -> bool) -> Duration {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < TIMEOUT, "{what} did not appear");
        thread::sleep(POLL_INTERVAL);
    }
    began.elapsed()
}

/// Returns the resident memory of a program and its private part, in megabytes.
fn memory(program: &Program) -> [f64; 2] {
    let path = format!("/proc/{}/status", program.pid());
    let status = fs::read_to_string(path).expect("the process is running");
    ["VmRSS:", "RssAnon:"].map(|name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        let kibibytes: f64 = number.and_then(|number| number.parse().ok()).expect(name);
        kibibytes * 1024.0 / 1e6
    })
}

/// Returns the size of the files that a program runs from, itself and its libraries, in megabytes.
fn code(program: &Program) -> f64 {
    let path = format!("/proc/{}/maps", program.pid());
    let maps = fs::read_to_string(path).expect("the process is running");
    let files: BTreeSet<&str> = maps
        .lines()
        .filter(|line| line.contains(" r-xp "))
        .filter_map(|line| Some(&line[line.find('/')?..]))
        .collect();
    let bytes = files
        .iter()
        .filter_map(|file| Some(fs::metadata(file).ok()?.len()));
    #[expect(clippy::cast_precision_loss, reason = "printed in megabytes")]
    let bytes = bytes.sum::<u64>() as f64;
    bytes / 1e6
}

/// Lets new windows, one of ours and one of Qt's in alternation, show the loaded content.
fn measure_clicks(desktop: &Desktop, fixture: &Fixture) -> Option<[Spread; 2]> {
    let path = fixture.path("demo_image.png");
    photograph()
        .save(&path)
        .expect("there is space for a picture");
    let loader = fixture.loader(["image"]).args([&path]).start();
    loader.wait_for("Loaded");
    let qt_loader = QtExample::open(&fixture.path(""), desktop)?;
    qt_loader.load(&path);
    wait_for_picture(desktop, &qt_loader.window);

    let mut spreads = [Spread::default(), Spread::default()];
    for _ in 0..CLICKS {
        let viewer = fixture.viewer::<&str>([]).on(desktop).start();
        let window = desktop.window_of(&viewer, "ShowSharedMem");
        spreads[0].take(time_to_show(desktop, &window, 103, [145, 140]));
        drop(viewer.terminate());
        let qt = QtExample::open(&fixture.path(""), desktop)?;
        let button = qt.display_button();
        spreads[1].take(time_to_show(desktop, &qt.window, button, [50, 50]));
        qt.close();
    }
    qt_loader.close();
    drop(loader.terminate());
    Some(spreads)
}

/// Draws a picture like a photograph, with a grain that compresses badly.
fn photograph() -> RgbImage {
    let mut picture = demo_image(1920, 1080);
    let mut random = 1_u32;
    for pixel in picture.pixels_mut() {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = random.to_be_bytes()[0] / 32;
        pixel.0 = pixel.0.map(|part| part.saturating_add(grain));
    }
    picture
}

fn wait_for_picture(desktop: &Desktop, window: &Window<'_>) {
    desktop.wait_for("the picture", || shows_picture(window).then_some(()));
}

/// Returns `true` if the sky of the picture is visible, and not only an error text.
fn shows_picture(window: &Window<'_>) -> bool {
    let is_sky = |pixel: &Rgb<u8>| pixel[2] > pixel[0].saturating_add(40) && pixel[1] < 100;
    let content = window.screen();
    let rows = content.pixels().rows().skip(140);
    rows.flatten().filter(|pixel| is_sky(pixel)).count() > 1_000
}

/// Clicks in the middle at a height, and waits until the window changes between the margins above
/// and below.
fn time_to_show(desktop: &Desktop, window: &Window<'_>, y: u32, margins: [u32; 2]) -> f64 {
    window.activate();
    let area = window.area();
    window.point_at((area.width / 2, y));
    drop(window.wait_until_still());
    let content = Area {
        x: area.x + 24,
        y: area.y + margins[0],
        width: area.width - 48,
        height: area.height - margins[0] - margins[1],
    };
    let frame_probe = desktop.frame_probe();
    let before = frame_probe.rows(content);
    let mut hand = desktop.xdotool_session();
    let began = Instant::now();
    hand.write_line("mousedown 1 mouseup 1");
    time_until("something else in the window", || {
        frame_probe.rows(content) != before
    });
    let took = began.elapsed();
    wait_for_picture(desktop, window);
    drop(hand.finish());
    milliseconds(took)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
