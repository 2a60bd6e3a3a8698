//! Windows in another language, and contents in any script.

use e2e_tests::{Area, Bus, Desktop, Fixture, Launch, LoaderWindow, Screen, ViewerWindow};

/// The position of the first line of a shown text.
const LINE: Area = Area {
    x: 28,
    y: 184,
    width: 120,
    height: 28,
};

/// Sets a Chinese locale, as a Chinese desktop does.
fn with_chinese_locale(launch: Launch) -> Launch {
    launch.env("LC_ALL", "").env("LANG", "zh_CN.UTF-8")
}

#[test]
fn windows_use_chinese_in_a_chinese_locale() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    // Found by their titles, which are names and not translated.
    let launch = with_chinese_locale(fixture.loader(["--verbose"]));
    let loader = LoaderWindow::of(launch.on(&desktop).start(), &desktop);
    let launch = with_chinese_locale(fixture.viewer(["--verbose"]));
    let viewer = ViewerWindow::of(launch.on(&desktop).start(), &desktop);
    viewer.program.wait_for_status("就绪。");
    viewer.show("无法连接到共享内存段。请先加载图片。");

    loader.open_dialog();
    loader.window.paste("你好，世界");
    loader.window.press(&["ctrl+Return"]);
    let said = loader.program.wait_for_status("加载到");
    let key = fixture.key();
    assert_eq!(
        said,
        format!("status: 已将文本（15 字节）加载到“{key}”（序号 1）。")
    );
    viewer.show(&format!("正在显示“{key}”中的文本，15 字节。"));
    assert_eq!(viewer.shown_text(), "你好，世界");
    // Output other than status lines is for scripts, and not translated.
    loader.program.wait_for_stderr(": sequence 1 after");

    loader.enter_path(&fixture.file("notes.txt", b"plain words"));
    let said = loader
        .program
        .wait_for_status("所选文件不是图片，请另选一个。");
    assert!(said.ends_with("notes.txt：格式未知。"), "{said}");
    loader.window.press(&["ctrl+r"]);
    loader
        .program
        .wait_for_status(&format!("已释放“{key}”：加载的内容已不存在。"));
}

#[test]
fn the_language_can_be_set_by_an_option() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let viewer = fixture.viewer(["--verbose", "--lang", "zh-CN"]);
    let viewer = viewer.on(&desktop).start();
    viewer.wait_for_status("就绪。");
    let loader = with_chinese_locale(fixture.loader(["--verbose", "--lang", "en"]));
    let loader = loader.on(&desktop).start();
    loader.wait_for_status("Load a text or an image");
    for program in [
        fixture.bare_loader(["--lang=de"]),
        fixture.bare_viewer(["--lang=de"]),
    ] {
        program
            .run()
            .misused("the languages of the windows are en and zh-CN");
    }
    for program in [
        fixture.bare_loader(["--help"]),
        fixture.bare_viewer(["--help"]),
    ] {
        let help = program.run().done();
        assert!(help.text().contains("en or zh-CN"), "{help:?}");
    }
}

#[test]
fn commands_print_english_in_every_locale() {
    let fixture = Fixture::new();
    let loader = with_chinese_locale(fixture.loader(["text", "Hello"])).start();
    let said = loader.wait_for("Loaded text, 5 bytes");
    assert!(said.contains("(sequence 1)."), "{said}");
    let listed = with_chinese_locale(fixture.bare_viewer(["list"]))
        .run()
        .done();
    assert!(listed.text().contains("text"), "{listed:?}");
    loader.terminate().done();
    with_chinese_locale(fixture.viewer(["show"]))
        .run()
        .refused("There is nothing in");
}

#[test]
fn the_system_dialog_has_a_title_in_the_window_language() {
    const TITLE: &str = "选择图片文件";
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let Some(bus) = Bus::open(&desktop) else {
        return;
    };
    let launch = fixture.loader(["--verbose", "--lang", "zh-CN"]);
    let loader = LoaderWindow::of(launch.on(&desktop).with(&bus).start(), &desktop);
    loader.open_file_dialog();
    desktop.window(TITLE).press(&["Escape"]);
    loader.program.wait_for_status("未选择文件。");
}

/// Loads a text and returns the area where its first characters are drawn.
fn drawn(fixture: &Fixture, viewer: &ViewerWindow<'_>, text: &str) -> Screen {
    let loader = fixture.loader(["text", text]).start();
    loader.wait_for("Loaded");
    viewer.show("Showing the text");
    let drawn = viewer.window.wait_until_still().crop(LINE);
    loader.terminate().done();
    drawn
}

/// Returns `true` if only shades of grey are drawn, as letters are.
fn is_grey(screen: &Screen) -> bool {
    let is_grey = |pixel: &image::Rgb<u8>| {
        let [red, green, blue] = pixel.0.map(i16::from);
        (red - green).abs().max((green - blue).abs()) < 60
    };
    screen.pixels().pixels().all(is_grey)
}

#[test]
fn every_script_is_drawn_as_it_is_written() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let viewer = ViewerWindow::open(&fixture, &desktop);
    viewer.window.point_away();
    // After a Latin letter, which keeps right-to-left text at the left margin.
    let draw = |character: &str| drawn(&fixture, &viewer, &format!("x {character}"));
    // Every character without a glyph is drawn as the same box.
    let unknown = draw("\u{e123}");
    let other = draw("\u{e124}");
    assert!(unknown.pixels() == other.pixels(), "two boxes differ");
    for (script, one, another) in [
        ("Latin", "a", "é"),
        ("Chinese", "你", "好"),
        ("Japanese", "こ", "ん"),
        ("Korean", "안", "녕"),
        ("Arabic", "م", "ش"),
        ("Hebrew", "ש", "ל"),
        ("emoji", "🦀", "🙂"),
    ] {
        let [one, another] = [one, another].map(draw);
        assert!(one.pixels() != another.pixels(), "{script}: alike");
        for drawn in [&one, &another] {
            assert!(drawn.pixels() != unknown.pixels(), "{script}: boxes");
            assert_eq!(is_grey(drawn), script != "emoji", "{script}: colours");
        }
    }
}

#[test]
fn arabic_is_joined_and_hebrew_runs_right_to_left() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let viewer = ViewerWindow::open(&fixture, &desktop);
    viewer.window.point_away();
    // The isolated letters have other shapes.
    let joined = drawn(&fixture, &viewer, "abc ممم");
    let apart = drawn(&fixture, &viewer, "abc \u{fee1}\u{fee1}\u{fee1}");
    assert!(joined.pixels() != apart.pixels(), "Arabic does not join");
    // Between left-to-right letters the first letter of right-to-left text is drawn at the right:
    // the first one drawn is the second letter.
    let hebrew = drawn(&fixture, &viewer, "a ש ל z");
    let begins_with_second = first_difference(&hebrew, &drawn(&fixture, &viewer, "a ל ל z"));
    let begins_with_first = first_difference(&hebrew, &drawn(&fixture, &viewer, "a ש ש z"));
    assert!(
        begins_with_second > begins_with_first,
        "Hebrew is drawn left to right"
    );
}

#[test]
fn deceptive_characters_are_drawn_escaped() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let viewer = ViewerWindow::open(&fixture, &desktop);
    viewer.window.point_away();
    for (text, visible) in [
        ("a\u{202e}bc", r"a\u{202e}bc"),
        ("a\u{200b}b\u{2066}", r"a\u{200b}b\u{2066}"),
        ("\u{1b}[31mred", r"\u{1b}[31mred"),
    ] {
        let [text, visible] = [text, visible].map(|text| drawn(&fixture, &viewer, text));
        assert!(
            text.pixels() == visible.pixels(),
            "the character is not visible"
        );
    }
}

/// Returns the first column in which two pictures differ, in pixels from the left.
fn first_difference(one: &Screen, other: &Screen) -> u32 {
    let pairs = one.pixels().enumerate_pixels().zip(other.pixels().pixels());
    let different = pairs.filter(|((_, _, one), other)| one != other);
    let columns = different.map(|((x, _, _), _)| x);
    columns.min().expect("they are different")
}
