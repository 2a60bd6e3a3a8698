//! The window in Chinese: each state is drawn without English words.

use gui_common::testing;
use gui_common::text::language::{self, Language};
use iced_test::selector::Candidate;

use super::clipboard_and_drop::{open_list, picture};
use super::*;

/// Returns all texts that are drawn.
fn texts(state: &State) -> Vec<String> {
    let mut texts = Vec::new();
    let size = Size::new(640.0, 560.0);
    let mut ui = Simulator::with_size(iced::Settings::default(), size, state.view());
    let collect = |candidate: Candidate<'_>| -> Option<()> {
        if let Candidate::Text { content, .. } = candidate {
            texts.push(content.to_owned());
        }
        None
    };
    ui.find(collect).expect_err("the selector matches nothing");
    texts
}

/// The names of segments, files and programs.
const NAMES: [&str; 7] = [
    "sunset.jpg",
    "Notes",
    "Camera",
    "Report",
    "qt:Sketch",
    "paint",
    "zebra",
];

/// Asserts that `wanted` is drawn, and no English.
#[track_caller]
fn assert_says(state: &State, wanted: &[&str]) {
    assert_eq!(testing::fault_in(&texts(state), wanted, &NAMES), None);
}

fn in_chinese(test: impl FnOnce(&mut State)) {
    language::with_language(Language::SimplifiedChinese, || test(&mut state()));
}

#[test]
fn the_empty_window_is_chinese() {
    in_chinese(|state| {
        let words = [
            "键名",
            "实时",
            "从共享内存显示",
            "尚未显示任何内容",
            "就绪。",
        ];
        assert_says(state, &words);
        assert_says(state, &["复制", "另存为…", "段列表", "历史记录"]);
        let not_found = AttachError::new(&key(), AttachErrorKind::NotFound);
        show(state, Err(attach_error(not_found)));
        assert_says(
            state,
            &["无法连接到共享内存段。请先加载图片。", "请先输入文本"],
        );
        let slots = AttachError::new(&key(), AttachErrorKind::SlotsFull { slots: 64 });
        show(state, Err(attach_error(slots)));
        assert_says(state, &["无法连接到共享内存段。"]);
        show(state, Err(ShowError::Worker(WorkerError::Died)));
        assert_says(state, &["窗口无法读取。"]);
    });
}

#[test]
fn a_text_and_a_picture_are_chinese() {
    in_chinese(|state| {
        show(state, Ok(text("你好")));
        assert_says(
            state,
            &[
                "正在显示“MySharedMemory”中的文本，6 字节。",
                "文本 · 6 字节 · 序号 3 · 1 分钟前",
                "由 loader-app 加载（pid 4711）",
                "当前内容",
            ],
        );
        show(state, Ok(text("")));
        assert_says(state, &["空文本"]);
        observe(state, presence(4, SystemTime::now()));
        assert_says(
            state,
            &["有新内容", "其他连接：viewer-app（pid 4712，只读）"],
        );
        show(state, Ok(picture()));
        assert_says(state, &["图片 · 320 × 200 · 192 kB · 序号 3 · 1 分钟前"]);
        drop(state.update(Message::SaveAs));
        assert_says(
            state,
            &["图片另存为", "浏览…", "Enter 保存，Esc 取消", "保存"],
        );
    });
}

#[test]
fn live_mode_is_chinese() {
    in_chinese(|state| {
        drop(state.update(Message::LiveToggled));
        assert_says(
            state,
            &["实时：加载到“MySharedMemory”的内容会自动显示在这里。"],
        );
        observe(state, Observation::Nothing);
        assert_says(state, &["正在等待“MySharedMemory”中出现内容。", "等待中"]);
        let update = Update::new(text("你好"), Arc::default());
        observe(state, Observation::Content(Box::new(update)));
        observe(state, Observation::Nothing);
        assert_says(state, &["加载方已离开；这是最后的副本。", "加载方已离开"]);
        drop(state.update(Message::LiveToggled));
        assert_says(
            state,
            &["实时已关闭：当前内容保留。如需重新读取，请按“从共享内存显示”。"],
        );
    });
}

#[test]
fn the_list_and_the_history_are_chinese() {
    in_chinese(|state| {
        open_list(state);
        let of_qt = "Qt · 65.5 kB · paint（pid 4713） · 2 处连接";
        assert_says(state, &["本机上的段", of_qt, "移除"]);
        drop(state.update(Message::ToggleSegments));
        drop(state.update(Message::ToggleHistory));
        assert_says(state, &["曾经显示", "清空历史记录", "尚未显示过任何内容"]);
        show(state, Ok(text("你好")));
        show(state, Ok(picture()));
        drop(state.update(Message::ToggleHistory));
        assert_says(
            state,
            &["你好", "刚刚 · MySharedMemory · 序号 3 · 文本 · 6 字节"],
        );
        drop(state.update(Message::History(history::Message::Opened(1))));
        assert_says(state, &["来自历史记录，刚刚"]);
        drop(state.update(Message::History(history::Message::Cleared)));
        assert_says(state, &["历史记录已清空。"]);
    });
}

#[test]
fn the_help_and_refusals_are_chinese() {
    in_chinese(|state| {
        drop(state.update(Message::Copy));
        assert_says(state, &["这里没有可复制或保存的内容。"]);
        drop(state.update(Message::Window(main_window::Message::ToggleHelp)));
        assert_says(
            state,
            &["键盘快捷键", "显示共享内存中的内容", "↓", "在段列表中下移"],
        );
    });
}
