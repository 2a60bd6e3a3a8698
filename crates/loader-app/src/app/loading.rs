//! The progress and the cancellation of a load.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use gui_common::text::visible;
use gui_common::tr;
use gui_common::widget::theme::{self, Colors};
use iced::futures::channel::mpsc::Sender;
use iced::futures::executor::block_on;
use iced::futures::{SinkExt, Stream};
use iced::widget::{button, container, row, space};
use iced::{Center, Element, Fill, Subscription, Theme, stream};

use super::Message;
use crate::progress::ReadProgress;

/// The time before the progress is shown.
const PROGRESS_DELAY: Duration = Duration::from_millis(300);

/// The interval at which the progress changes.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// The height of the progress bar.
const BAR: f32 = 2.0;

/// A running load. Dropping it cancels the load.
#[derive(Debug)]
pub(super) struct Loading {
    /// Distinguishes the reply of this load from those of earlier ones.
    pub(super) number: u64,
    progress: Arc<ReadProgress>,
    since: Instant,
    /// The fraction that is shown; `None` until the delay has passed.
    shown: Option<f32>,
}

impl Loading {
    /// Starts a load; returns its progress for the reader.
    pub(super) fn start(number: u64) -> (Loading, Arc<ReadProgress>) {
        let progress = Arc::new(ReadProgress::default());
        let loading = Loading {
            number,
            progress: Arc::clone(&progress),
            since: Instant::now(),
            shown: None,
        };
        (loading, progress)
    }

    /// Cancels the reader, which replies when it has stopped.
    pub(super) fn cancel(&self) {
        self.progress.cancel();
    }

    /// Updates the fraction that is shown.
    pub(super) fn update(&mut self, now: Instant) {
        if now.duration_since(self.since) >= PROGRESS_DELAY {
            self.shown = Some(self.progress.fraction());
        }
    }

    /// Draws the progress bar at the upper edge of the status line.
    pub(super) fn view_bar(&self) -> Option<Element<'_, Message>> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number from 0 to 1000"
        )]
        let done = (self.shown? * 1000.0).round() as u16;
        let bar = container(space().height(BAR))
            .width(iced::FillPortion(done.max(1)))
            .style(|theme: &Theme| container::background(Colors::of(theme).accent));
        let rest = space().width(iced::FillPortion(1001 - done.min(1000)));
        Some(row![bar, rest].width(Fill).into())
    }

    /// Draws the percentage and the button Cancel.
    pub(super) fn view_cancel(&self) -> Option<Element<'_, Message>> {
        let shown = self.shown?;
        let words = if self.progress.is_cancelled() {
            // The reader stops at its next read.
            String::new()
        } else if shown < 1.0 {
            tr!("loading-read", percent = format!("{:.0}", shown * 100.0))
        } else {
            tr!("loading-decoding")
        };
        let can_cancel = !self.progress.is_cancelled();
        let cancel = button(visible::line(tr!("cancel")).size(theme::SMALL_SIZE))
            .padding([theme::space::TINY, theme::space::MEDIUM])
            .style(theme::quiet_button)
            .on_press_maybe(can_cancel.then_some(Message::CancelPressed));
        Some(
            row![
                visible::line(words)
                    .size(theme::SMALL_SIZE)
                    .style(theme::muted),
                cancel
            ]
            .spacing(theme::space::SMALL)
            .align_y(Center)
            .into(),
        )
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        self.progress.cancel();
    }
}

/// Yields the time at each progress interval.
pub(super) fn ticks() -> Subscription<Instant> {
    Subscription::run(tick_stream)
}

fn tick_stream() -> impl Stream<Item = Instant> {
    stream::channel(1, async |mut output: Sender<Instant>| {
        // If the thread cannot start, no progress is shown, and the load continues.
        thread::Builder::new()
            .name("ticks".to_owned())
            .spawn(move || {
                loop {
                    thread::sleep(PROGRESS_INTERVAL);
                    if block_on(output.send(Instant::now())).is_err() {
                        break;
                    }
                }
            })
            .ok();
    })
}
