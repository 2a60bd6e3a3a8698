//! Streams of the window: their card, progress and end.

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
use crate::session::{
    FrameSource, LoadError, Loaded, Reply, StreamEnd, StreamEvent, StreamProgress, StreamSummary,
};

/// A stream that is running or starting.
#[derive(Debug)]
pub(super) struct Stream {
    /// Distinguishes the events of this stream from those of earlier ones.
    number: u64,
    /// The source of the frames.
    source: FrameSource,
    /// The name for the user.
    name: String,
    /// The last progress; `None` before the first.
    progress: Option<StreamProgress>,
}

impl Stream {
    /// Returns a short text about the progress.
    pub(super) fn summary(&self) -> String {
        match &self.progress {
            Some(progress) if progress.frames > 0 => {
                tr!("streaming-figures", report = progress.to_string())
            }
            _ => tr!("streaming"),
        }
    }
}

impl State {
    /// Opens the card that starts a stream, or stops the running stream.
    pub(super) fn toggle_stream(&mut self) -> Task<Message> {
        if self.stream.is_some() {
            // The end is reported after the last frame.
            self.session.stop();
            return Task::none();
        }
        if self.has_dialog() {
            return Task::none();
        }
        let Some(key) = self.load_key() else {
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

    /// Closes the card, and stops a stream that it was starting.
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
                // A user who cancelled the dialog needs no message on the card.
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
            // The user closed the card in the meantime.
            None => Task::none(),
        }
    }

    fn start_stream(&mut self, source: FrameSource) -> Task<Message> {
        let Some(key) = self.load_key() else {
            self.reject_stream(self.window.status.current().to_string());
            return Task::none();
        };
        self.stream_into(key, source)
    }

    /// Streams frames under a key.
    pub(super) fn stream_into(&mut self, key: Address, source: FrameSource) -> Task<Message> {
        self.stream_count += 1;
        let number = self.stream_count;
        let stream = Stream {
            number,
            source: source.clone(),
            name: name_of(&source),
            progress: None,
        };
        let events = self.session().stream(key, source);
        self.stream = Some(stream);
        events.map(move |event| Message::StreamEvent(number, event))
    }

    pub(super) fn take_stream_event(&mut self, number: u64, event: StreamEvent) {
        // Events of an earlier stream are ignored.
        let Some(stream) = self
            .stream
            .as_mut()
            .filter(|stream| stream.number == number)
        else {
            return;
        };
        match event {
            StreamEvent::Begun(loaded) => self.take_begun(loaded),
            StreamEvent::Progress(progress) => {
                let before = stream.progress.replace(progress.clone());
                let notice_before = before.and_then(|progress| progress.notice);
                if let Some(notice) = progress.notice
                    && notice_before.as_ref() != Some(&notice)
                {
                    let text = tr!("streaming-name", name = stream.name);
                    self.window
                        .status
                        .set(Status::neutral(text).with_remedy(notice));
                }
            }
            StreamEvent::FramesSkipped(reason) => {
                let text = tr!("streaming-left-out");
                self.window
                    .status
                    .set(Status::warning(text).with_remedy(reason));
            }
            StreamEvent::Ended(reply) => self.take_stream_end(reply),
        }
    }

    fn take_begun(&mut self, loaded: Loaded) {
        self.stream_card = None;
        let name = self
            .stream
            .as_ref()
            .map_or("", |stream| stream.name.as_str());
        let text = tr!("streaming-into", name = name, key = loaded.key);
        self.show_loaded(text, &loaded, None);
        self.attach(loaded);
    }

    fn take_stream_end(&mut self, reply: Reply<Option<Arc<StreamSummary>>, LoadError>) {
        let stream = self.stream.take();
        self.update_guard();
        let status = match reply {
            Ok(Ok(Some(streamed))) => match (&streamed.end, stream) {
                (StreamEnd::Failed(error), Some(stream)) if error.is_removed() => {
                    let key = streamed.key.clone();
                    return self.report_loss(&streamed.key, Lost::Stream(key, stream.source));
                }
                (StreamEnd::Failed(error), _) => failure(error),
                (StreamEnd::Finished | StreamEnd::Stopped, _) => {
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

    /// Shows on the card, if it is open, why no stream was started.
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
