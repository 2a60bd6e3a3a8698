//! The window, driven without a display: clicks, keys and replies in, words and files out.

use super::*;

use std::time::SystemTime;

use app_kit::snapshot::{Content, Origin, Snapshot, Text};
use iced_test::Simulator;

fn state() -> State {
    State::new(&Settings {
        key: Key::new("MySharedMemory").expect("a key"),
        directory: None,
        verbose: false,
    })
}

fn shoot(state: &State, theme: Theme, size: (f32, f32), name: &str) {
    let settings = iced::Settings { default_font: app_kit::theme::FONT, ..Default::default() };
    let mut ui: Simulator<Message> = Simulator::with_size(settings, Size::new(size.0, size.1), state.view());
    let shot = ui.snapshot(&theme).unwrap();
    std::fs::remove_file(format!("/work/team/shots-loader/{name}-tiny-skia.png")).ok();
    assert!(shot.matches_image(format!("/work/team/shots-loader/{name}.png")).unwrap());
}

fn text(text: &str) -> Observation {
    Observation::Content(Snapshot {
        key: Key::new("MySharedMemory").expect("a key"),
        content: Content::Text(Text { shown: text.to_owned(), is_whole: true }),
        bytes: text.len() as u64,
        origin: Some(Origin { generation: 3, writer_pid: std::process::id(), writer_program: Some("loader-app".into()), published: SystemTime::now() }),
        persistent: false,
        attached: vec![Attached { pid: 4711, program: "viewer-app".into(), access: Access::ReadOnly, since: None }, Attached { pid: 12345, program: "loader-app".into(), access: Access::ReadWrite, since: None }],
    })
}

#[test]
fn shots() {
    for (suffix, theme) in [("light", Theme::Light), ("dark", Theme::Dark)] {
        let mut s = state();
        shoot(&s, theme.clone(), (640.0, 560.0), &format!("l1-{suffix}"));
        drop(s.update(Message::Seen(text("Hello, 世界 😀\nمرحبا بالعالم\nSecond line of a text that is longer than the window is wide, so that it has to wrap at some place."))));
        s.attached = Some(Key::new("MySharedMemory").unwrap());
        s.status.set(Status::success("Loaded text, 42 bytes, into MySharedMemory (generation 3)."));
        shoot(&s, theme.clone(), (640.0, 560.0), &format!("l2-{suffix}"));
        s.status.set(Status::error("Selected file is not an image, please select another.").with_remedy("/home/ada/notes.txt: its format is not known."));
        drop(s.update(Message::KeyEdited("a/b".into())));
        shoot(&s, theme.clone(), (480.0, 420.0), &format!("l3-{suffix}"));
        drop(s.update(Message::KeyEdited("MySharedMemory".into())));
        drop(s.update(Message::LoadPressed));
        drop(s.update(Message::Dialog(text_dialog::Message::Edit(iced::widget::text_editor::Action::Edit(iced::widget::text_editor::Edit::Paste(std::sync::Arc::new("Dear viewer,\n\n你好 😀\n\nYours".to_owned())))))));
        shoot(&s, theme.clone(), (640.0, 560.0), &format!("l4-{suffix}"));
        shoot(&s, theme.clone(), (480.0, 420.0), &format!("l5-{suffix}"));
    }
}
