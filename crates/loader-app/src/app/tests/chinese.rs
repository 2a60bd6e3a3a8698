//! The window in Chinese: no state shows an English word.

use gui_common::picture::limit::Limit;
use gui_common::testing;
use gui_common::text::language::{self, Language};
use iced_test::selector::Candidate;
use shm_core::presence::Viewer;

use super::*;
use crate::frames::FrameError;
use crate::picture_file::Flaw;
use crate::session::StreamProgress;
use shm_io::Viewers;

/// Returns all texts of the window.
fn texts(bench: &Bench) -> Vec<String> {
    let mut texts = Vec::new();
    let size = Size::new(640.0, 560.0);
    let mut ui: Simulator<'_, Message> =
        Simulator::with_size(iced::Settings::default(), size, bench.state.view());
    let collect = |candidate: Candidate<'_>| -> Option<()> {
        if let Candidate::Text { content, .. } = candidate {
            texts.push(content.to_owned());
        }
        None
    };
    ui.find(collect).expect_err("the collector matches nothing");
    texts
}

/// Asserts that the window shows these texts, and no English.
#[track_caller]
fn assert_says(bench: &Bench, wanted: &[&str]) {
    assert_eq!(testing::fault_in(&texts(bench), wanted, &[]), None);
}

fn in_chinese(test: impl FnOnce(&mut Bench)) {
    language::with_language(Language::SimplifiedChinese, || test(&mut Bench::new()));
}

#[test]
fn the_empty_window_is_chinese() {
    in_chinese(|bench| {
        assert_says(bench, &["键名", "加载", "从文件加载图片…", "未连接"]);
        bench.see(Observation::Nothing);
        assert_says(bench, &["这里还没有内容", "推流…", "清空", "释放"]);
        bench.edit_key("a/b");
        assert_says(bench, &["键名的第 1 字节处有“/”：键名是名字，不是路径。"]);
        bench.send(Message::LoadPressed);
        let said = bench.state.window.status.current().to_string();
        assert_eq!(said, "键名的第 1 字节处有“/”：键名是名字，不是路径。");
    });
}

#[test]
fn loading_and_releasing_a_text_is_chinese() {
    in_chinese(|bench| {
        bench.click("加载");
        bench.click("确定");
        assert_says(bench, &["要加载的文本", "请先输入文本", "取消"]);
        bench.write("你好");
        bench.click("确定");
        let key = Key::new("MySharedMemory").unwrap();
        let seen = Snapshot::read(&Source::new(&key).options(bench.options())).unwrap();
        bench.see_content(seen);
        assert_says(
            bench,
            &[
                "已将文本（6 字节）加载到“MySharedMemory”（序号 1）。",
                "已连接",
                "文本 · 6 字节 · 序号 1 · 刚刚",
            ],
        );
        bench.edit_key("其他");
        assert_says(
            bench,
            &[
                "已连接其他键名",
                "已加载到“MySharedMemory”的内容暂时保留在那里。",
            ],
        );
        bench.send(Message::ClearPressed);
        assert_says(
            bench,
            &["已清空“MySharedMemory”：原内容无法再读取。本窗口保持连接。"],
        );
        bench.send(Message::ReleasePressed);
        assert_says(bench, &["已释放“MySharedMemory”：加载的内容已不存在。"]);
    });
}

#[test]
fn the_refusal_of_a_picture_is_chinese() {
    in_chinese(|bench| {
        let path = bench.file("notes.txt", b"\0\x01\x02");
        bench.load_path(&path);
        let status = bench.state.window.status.current();
        assert_eq!(status.text(), "所选文件不是图片，请另选一个。");
        let remedy = format!("{}：格式未知。", path.display());
        assert_eq!(status.remedy(), Some(remedy.as_str()));
        bench.load_path(Path::new("/nowhere/cat.png"));
        let said = bench.state.window.status.current().to_string();
        assert_eq!(
            said,
            "无法读取文件 /nowhere/cat.png。没有这个文件：请检查路径。"
        );
        bench.load_path(Path::new(""));
        assert_says(bench, &["路径栏是空的。"]);
        bench.send(Message::FileDialogEnded(Answer::NotShown));
        assert_says(bench, &["系统未能显示文件对话框。"]);
    });
}

#[test]
fn the_card_and_a_stream_are_chinese() {
    in_chinese(|bench| {
        bench.click("推流…");
        assert_says(bench, &["推流", "测试图案", "GIF 动画…", "文件夹…", "秒"]);
        bench.send(Message::StreamCard(stream_card::Message::PathSubmitted));
        bench.send(Message::StreamCard(stream_card::Message::SecondsEdited(
            "0".to_owned(),
        )));
        assert_says(bench, &["0.02 至 3600 秒"]);
        bench.press(Chord::named(Named::Escape));
        let report = StreamProgress {
            frames: 1_234,
            rate: 30.0,
            notice: None,
        };
        assert_eq!(report.to_string(), "1,234 帧 · 30.0 fps");
    });
}

#[test]
fn the_help_is_chinese() {
    in_chinese(|bench| {
        bench.press(Chord::named(Named::F1));
        assert_says(bench, &["键盘快捷键", "关闭", "关闭窗口", "Ctrl+L"]);
    });
}

#[test]
fn the_viewers_are_chinese() {
    in_chinese(|bench| {
        let watcher = |pid| Viewer {
            process: Process::with_pid(pid),
            program: "viewer-app".to_owned(),
            report: None,
        };
        bench.send(Message::ViewersChanged(Viewers::Known(vec![watcher(1)])));
        assert_says(bench, &["viewer-app（pid 1）正在查看 · 尚未显示任何内容"]);
        let two = Viewers::Known(vec![watcher(1), watcher(2)]);
        bench.send(Message::ViewersChanged(two));
        assert_says(bench, &["2 个程序正在查看 · 尚未显示任何内容", "逐个显示"]);
    });
}

#[test]
fn the_errors_of_loading_are_chinese() {
    let path = PathBuf::from("/nowhere/a");
    let system = || io::Error::from_raw_os_error(5);
    let picture = LoadError::Picture;
    let frames = LoadError::Frames;
    let too_large = |sides, needed| {
        picture(PictureError::TooLarge {
            path: path.clone(),
            sides,
            needed,
            limit: Limit::DEFAULT,
        })
    };
    let errors = [
        LoadError::Pixels,
        LoadError::Cancelled {
            name: "/nowhere/a".to_owned(),
        },
        LoadError::Bytes {
            name: "/nowhere/a".to_owned(),
            source: system(),
        },
        picture(PictureError::Unreadable {
            path: path.clone(),
            source: system(),
        }),
        picture(PictureError::NotAFile {
            path: path.clone(),
            is_directory: true,
        }),
        too_large(Some((70_000, 1)), None),
        too_large(Some((60_000, 60_000)), Some(5 << 30)),
        too_large(None, None),
        picture(PictureError::Cancelled { path: path.clone() }),
        frames(FrameError::Stopped),
        frames(FrameError::CutOff { came: 1, whole: 2 }),
        frames(FrameError::Input(system())),
        frames(FrameError::Folder {
            path: path.clone(),
            source: system(),
        }),
        frames(FrameError::NoPictures {
            path: path.clone(),
            files: 1,
        }),
        frames(FrameError::NotAGif { path: path.clone() }),
    ];
    let flaws = [
        Flaw::Cut,
        Flaw::Format,
        Flaw::Rare,
        Flaw::Decoder,
        Flaw::NoFrames,
        Flaw::Other("1".to_owned()),
    ];
    let flawed = flaws.map(|flaw| {
        picture(PictureError::NotAPicture {
            path: path.clone(),
            flaw,
        })
    });
    language::with_language(Language::SimplifiedChinese, || {
        for error in errors.iter().chain(&flawed) {
            let said = error.to_string().replace(&system().to_string(), "");
            assert_eq!(testing::english_word_in(&said), None, "{said}");
            assert!(said.ends_with('。'), "{said}");
        }
    });
}
