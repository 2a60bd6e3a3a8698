//! Streams in the window: their card, how they go, and their end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gui_common::desktop::file_dialog::Answer;
use gui_common::tr;
use gui_common::widget::status::Status;
use iced::Task;
use iced::widget::operation;
use shm_io::Address;

use super::lost::Lost;
use super::session_reply::failure;
use super::{Message, State};
use crate::file_dialog;
use crate::screen::stream_card::{self, StreamCard};
use crate::session::{End, FrameSource, LoadError, Loaded, News, Reply, Report, Streamed};

/// A stream that plays, or is about to.
#[derive(Debug)]
pub(super) struct Stream {
    /// Tells its news from those of streams before it.
    number: u64,
    /// What it plays.
    source: FrameSource,
    /// What people call it.
    name: String,
    /// How it goes; `None` before the first frame.
    report: Option<Report>,
}

impl Stream {
    /// Says how it goes, in a few words.
    pub(super) fn summary(&self) -> String {
        match &self.report {
            Some(report) if report.frames > 0 => {
                tr!("streaming-figures", report = report.to_string())
            }
            _ => tr!("streaming"),
        }
    }
}

impl State {
    /// Opens the card that starts a stream; or stops the stream that plays.
    pub(super) fn toggle_stream(&mut self) -> Task<Message> {
        if self.stream.is_some() {
            // Its end is told when the last frame is through.
            self.session.stop();
            return Task::none();
        }
        if self.is_covered() {
            return Task::none();
        }
        let Some(key) = self.key_to_load_under() else {
            return Task::none();
        };
        let (card, focus) = StreamCard::open(key.as_str());
        self.stream_card = Some(card);
        focus
    }

    pub(super) fn update_stream_card(&mut self, message: stream_card::Message) -> Task<Message> {
        let Some(card) = &mut self.stream_card else {
            return Task::none();
        };
        let action = card.update(message);
        self.act_on_card(action)
    }

    fn act_on_card(&mut self, action: stream_card::Action) -> Task<Message> {
        match action {
            stream_card::Action::None => Task::none(),
            stream_card::Action::ChooseGif => self.choose_source(file_dialog::pick_gif),
            stream_card::Action::ChooseFolder => self.choose_source(file_dialog::pick_folder),
            stream_card::Action::Start(source) => self.start_stream(source),
            stream_card::Action::Close => {
                self.close_stream_card();
                Task::none()
            }
        }
    }

    /// Closes the card; a stream that it was about to begin is not wanted any more.
    pub(super) fn close_stream_card(&mut self) {
        let card = self.stream_card.take();
        if card.is_some_and(|card| card.is_starting()) {
            self.session.stop();
        }
    }

    fn choose_source(&mut self, pick: fn() -> Task<Answer>) -> Task<Message> {
        if !self.enter_file_dialog() {
            self.reject_stream(self.window.status.current().to_string());
            return Task::none();
        }
        pick().map(Message::StreamSourceChosen)
    }

    pub(super) fn take_stream_source(&mut self, answer: Answer) -> Task<Message> {
        let path = match self.leave_file_dialog(answer) {
            Ok(path) => path,
            Err(status) => {
                // Somebody who has closed the dialog knows that nothing was chosen.
                if status.remedy().is_some() {
                    self.reject_stream(status.to_string());
                }
                self.window.status.set(status);
                return operation::focus(stream_card::PATH);
            }
        };
        match &mut self.stream_card {
            Some(card) => {
                let action = card.take_path(path);
                self.act_on_card(action)
            }
            // The card was closed meanwhile: that was the answer.
            None => Task::none(),
        }
    }

    fn start_stream(&mut self, source: FrameSource) -> Task<Message> {
        let Some(key) = self.key_to_load_under() else {
            self.reject_stream(self.window.status.current().to_string());
            return Task::none();
        };
        self.stream_into(key, source)
    }

    /// Streams frames under a key.
    pub(super) fn stream_into(&mut self, key: Address, source: FrameSource) -> Task<Message> {
        self.streams += 1;
        let number = self.streams;
        let stream = Stream {
            number,
            source: source.clone(),
            name: name_of(&source),
            report: None,
        };
        let news = self.session().stream(key, source);
        self.stream = Some(stream);
        news.map(move |news| Message::StreamNews(number, news))
    }

    pub(super) fn take_stream_news(&mut self, number: u64, news: News) {
        // One that gave way to something else has nothing to say any more.
        let Some(stream) = self
            .stream
            .as_mut()
            .filter(|stream| stream.number == number)
        else {
            return;
        };
        match news {
            News::Begun(loaded) => self.take_begun(loaded),
            News::Progress(report) => {
                let before = stream.report.replace(report.clone());
                let noticed_before = before.and_then(|report| report.notice);
                if let Some(notice) = report.notice
                    && noticed_before.as_ref() != Some(&notice)
                {
                    let sentence = tr!("streaming-name", name = stream.name);
                    self.window
                        .status
                        .set(Status::neutral(sentence).with_remedy(notice));
                }
            }
            News::LeftOut(reason) => {
                let sentence = tr!("streaming-left-out");
                self.window
                    .status
                    .set(Status::warning(sentence).with_remedy(reason));
            }
            News::Ended(reply) => self.take_stream_end(reply),
        }
    }

    fn take_begun(&mut self, loaded: Loaded) {
        self.stream_card = None;
        let name = self
            .stream
            .as_ref()
            .map_or("", |stream| stream.name.as_str());
        let sentence = tr!("streaming-into", name = name, key = loaded.key);
        self.say_loaded(sentence, &loaded, None);
        self.attach(loaded);
    }

    fn take_stream_end(&mut self, reply: Reply<Option<Arc<Streamed>>, LoadError>) {
        let stream = self.stream.take();
        self.guard_what_is_loaded();
        let status = match reply {
            Ok(Ok(Some(streamed))) => match (&streamed.end, stream) {
                (End::Failed(error), Some(stream)) if error.is_removed() => {
                    let key = streamed.key.clone();
                    return self.lose(&streamed.key, Lost::Stream(key, stream.source));
                }
                (End::Failed(error), _) => failure(error),
                (End::Finished | End::Stopped, _) => {
                    Status::success(streamed.to_string()).with_remedy(tr!("streamed-remedy"))
                }
            },
            Ok(Ok(None)) => Status::neutral(tr!("streamed-nothing")),
            Ok(Err(error)) => {
                self.reject_stream(error.to_string());
                failure(&error)
            }
            Err(error) => {
                self.reject_stream(error.to_string());
                Status::error(error.to_string())
            }
        };
        self.window.status.set(status);
    }

    /// Says on the card, where it is open, why nothing was started.
    fn reject_stream(&mut self, problem: String) {
        if let Some(card) = &mut self.stream_card {
            card.reject(problem);
        }
    }
}

fn name_of(source: &FrameSource) -> String {
    let file_name = |path: &PathBuf| {
        path.file_name()
            .map(|name| Path::new(name).display().to_string())
    };
    match source {
        FrameSource::TestPattern => tr!("streaming-pattern"),
        FrameSource::Path { path, .. } => {
            file_name(path).unwrap_or_else(|| path.display().to_string())
        }
    }
}
