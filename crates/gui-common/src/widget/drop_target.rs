//! Files that are dragged over a window and dropped on it.
//!
//! The window system reports each file separately and never their number. All files hover before
//! the first is dropped, so the hovering files are counted.

use std::path::{Path, PathBuf};

use iced::widget::{center, column, container, text};
use iced::{Center, Element, Subscription, event, mouse, window};

use crate::text::visible;
use crate::tr;
use crate::widget::theme;

/// A drag event for one file, or the end of the drag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A file is over the window.
    Hovered(PathBuf),
    /// A file was dropped on the window.
    Dropped(PathBuf),
    /// The files left the window again.
    Left,
}

/// What was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The first file.
    pub path: PathBuf,
    /// How many more there were.
    pub others: usize,
}

/// The files that are over a window now.
#[derive(Debug, Default)]
pub struct DropTarget {
    hovered: Vec<PathBuf>,
    /// How many of them were dropped.
    dropped: usize,
}

fn files() -> Subscription<Event> {
    event::listen_with(|event, _status, _window| match event {
        iced::Event::Window(window::Event::FileHovered(path)) => Some(Event::Hovered(path)),
        iced::Event::Window(window::Event::FileDropped(path)) => Some(Event::Dropped(path)),
        iced::Event::Window(window::Event::FilesHoveredLeft) => Some(Event::Left),
        _ => None,
    })
}

/// During a drag no button event reaches the window. If one does, the source of the drag has
/// crashed.
fn clicks() -> Subscription<Event> {
    event::listen_with(|event, _status, _window| match event {
        iced::Event::Mouse(mouse::Event::ButtonPressed(_)) => Some(Event::Left),
        _ => None,
    })
}

impl DropTarget {
    /// Creates a target with no file over the window.
    pub fn new() -> DropTarget {
        DropTarget::default()
    }

    /// Listens for dragged files. winit does not support this on Wayland.
    pub fn subscription(&self) -> Subscription<Event> {
        // A separate subscription, because replacing the one for files would lose events.
        let clicks = match self.hovered.is_empty() {
            true => Subscription::none(),
            false => clicks(),
        };
        Subscription::batch([files(), clicks])
    }

    /// Handles a drag event. Returns the dropped files once for each drag.
    pub fn update(&mut self, event: Event) -> Option<Dropped> {
        match event {
            Event::Hovered(path) => {
                if self.dropped > 0 {
                    *self = DropTarget::new();
                }
                // Some sources report a file more than once.
                if !self.hovered.contains(&path) {
                    self.hovered.push(path);
                }
                None
            }
            Event::Left => {
                *self = DropTarget::new();
                None
            }
            Event::Dropped(path) => {
                let others = self.hovered.len().saturating_sub(1);
                self.dropped += 1;
                let is_first = self.dropped == 1;
                if self.dropped >= self.hovered.len() {
                    *self = DropTarget::new();
                }
                is_first.then_some(Dropped { path, others })
            }
        }
    }

    /// Draws the name of the first file and `outcome` while files are over the window.
    pub fn view<'a, M: 'a>(&self, outcome: impl text::IntoFragment<'a>) -> Option<Element<'a, M>> {
        let first = self.hovered.first().filter(|_| self.dropped == 0)?;
        let words = column![
            visible::line(names(first, self.hovered.len() - 1)).size(theme::TEXT_SIZE),
            visible::line(outcome)
                .size(theme::TEXT_SIZE)
                .style(theme::muted)
                .align_x(Center),
        ]
        .spacing(theme::space::SMALL)
        .max_width(400)
        .align_x(Center);
        let card = container(words)
            .padding(theme::space::HUGE)
            .style(theme::drop_hint);
        Some(
            center(card)
                .padding(theme::space::HUGE)
                .style(theme::dim)
                .into(),
        )
    }
}

fn names(first: &Path, others: usize) -> String {
    let name = file_name(first);
    match others {
        0 => name,
        _ => tr!("dropped-more", name = name, count = others),
    }
}

/// Returns the file name of a path, or the path if it has none.
pub fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hovered(target: &mut DropTarget, names: &[&str]) {
        for name in names {
            assert_eq!(target.update(Event::Hovered(name.into())), None);
        }
    }

    fn drop_all(target: &mut DropTarget, names: &[&str]) -> Vec<Dropped> {
        names
            .iter()
            .filter_map(|name| target.update(Event::Dropped(name.into())))
            .collect()
    }

    fn first_of(path: &str, others: usize) -> Vec<Dropped> {
        vec![Dropped {
            path: path.into(),
            others,
        }]
    }

    fn says(target: &DropTarget, words: &str) -> bool {
        let hint = target.view::<()>("It is loaded.");
        hint.is_some_and(|hint| iced_test::simulator(hint).find(words).is_ok())
    }

    #[test]
    fn a_drop_of_many_files_is_reported_once() {
        let mut target = DropTarget::new();
        for _ in 0..2 {
            // A slow source reports the same names twice.
            hovered(&mut target, &["/a.png", "/b", "/c", "/a.png", "/b", "/c"]);
            assert!(says(&target, "a.png and 2 more"));
            let dropped = drop_all(&mut target, &["/a.png", "/b", "/c"]);
            assert_eq!(dropped, first_of("/a.png", 2));
            assert!(!says(&target, "a.png and 2 more"));
        }
        hovered(&mut target, &["/one"]);
        assert!(says(&target, "one"));
        assert_eq!(drop_all(&mut target, &["/one"]), first_of("/one", 0));
    }

    #[test]
    fn files_that_leave_the_window_are_forgotten() {
        let mut target = DropTarget::new();
        hovered(&mut target, &["/a", "/b"]);
        assert!(says(&target, "a and one more"));
        target.update(Event::Left);
        assert!(!says(&target, "a and one more"));
        hovered(&mut target, &["/c"]);
        assert_eq!(drop_all(&mut target, &["/c"]), first_of("/c", 0));
    }

    #[test]
    fn an_unfinished_drop_does_not_block_the_next() {
        let mut target = DropTarget::new();
        hovered(&mut target, &["/a", "/b"]);
        assert_eq!(drop_all(&mut target, &["/a"]), first_of("/a", 1));
        hovered(&mut target, &["/c"]);
        assert_eq!(drop_all(&mut target, &["/c"]), first_of("/c", 0));
        // A window system that does not report hovering files.
        assert_eq!(drop_all(&mut target, &["/d"]), first_of("/d", 0));
        assert_eq!(drop_all(&mut target, &["/e"]), first_of("/e", 0));
    }
}
