//! A picture on its way into shared memory: how far it is, and how to stop it.

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
use crate::progress::Progress;

/// What takes no longer than this is not worth a word.
const PATIENCE: Duration = Duration::from_millis(300);

/// How often it is looked how far it is.
const GLANCE: Duration = Duration::from_millis(100);

/// The height of the bar.
const BAR: f32 = 2.0;

/// What is being read and decoded. Dropping it stops that: nobody waits for it any more.
#[derive(Debug)]
pub(super) struct Loading {
    /// Tells answers about this picture from those about one that was given up before.
    pub(super) number: u64,
    progress: Arc<Progress>,
    since: Instant,
    /// How much of the file was read at the last look, once it takes long enough to be told.
    shown: Option<f32>,
}

impl Loading {
    /// Begins; the progress is for the reader.
    pub(super) fn start(number: u64) -> (Loading, Arc<Progress>) {
        let progress = Arc::new(Progress::default());
        let loading = Loading {
            number,
            progress: Arc::clone(&progress),
            since: Instant::now(),
            shown: None,
        };
        (loading, progress)
    }

    /// Asks the reader to stop; it answers when it has.
    pub(super) fn cancel(&self) {
        self.progress.cancel();
    }

    /// Looks how far it is.
    pub(super) fn look(&mut self, now: Instant) {
        if now.duration_since(self.since) >= PATIENCE {
            self.shown = Some(self.progress.fraction());
        }
    }

    /// Draws the bar over the upper edge of the status line.
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

    /// Draws, beside the status, how much is read, and the way out.
    pub(super) fn view_cancel(&self) -> Option<Element<'_, Message>> {
        let shown = self.shown?;
        let words = if self.progress.is_cancelled() {
            // The reader stops as soon as its decoder lets it.
            String::new()
        } else if shown < 1.0 {
            tr!("loading-read", percent = format!("{:.0}", shown * 100.0))
        } else {
            tr!("loading-decoding")
        };
        let is_wanted = !self.progress.is_cancelled();
        let cancel = button(visible::line(tr!("cancel")).size(theme::SMALL_SIZE))
            .padding([theme::space::TINY, theme::space::MEDIUM])
            .style(theme::quiet_button)
            .on_press_maybe(is_wanted.then_some(Message::CancelPressed));
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

/// Comes ten times a second while something is loading.
pub(super) fn glances() -> Subscription<Instant> {
    Subscription::run(ticks)
}

fn ticks() -> impl Stream<Item = Instant> {
    stream::channel(1, async |mut output: Sender<Instant>| {
        // Where the system gives no thread nothing is told of how far it is: that harms nobody.
        thread::Builder::new()
            .name("glances".to_owned())
            .spawn(move || {
                loop {
                    thread::sleep(GLANCE);
                    if block_on(output.send(Instant::now())).is_err() {
                        break;
                    }
                }
            })
            .ok();
    })
}
