//! The theme of both windows: colours, one radius, one spacing scale, two type sizes.
//!
//! The windows follow the light or dark mode of the system. iced does this by itself if an
//! application sets no theme of its own, so there is no [`iced::Theme`] here: every style is a
//! function that takes only the mode from the current theme, and its colours from [`Colors`].

use iced::border::Border;
use iced::overlay::menu;
use iced::theme::{Base, Mode};
use iced::widget::{
    button, container, pick_list, scrollable, text, text_editor, text_input, toggler,
};
use iced::{Background, Color, Font, Shadow, Theme, color};

/// The font family that both programs embed, so that labels are drawn even if no font is installed.
pub const FONT: Font = Font::with_name("Fira Sans");
/// The fixed-width family, for text content that looks like code or columns.
pub(crate) const MONOSPACE: Font = Font::MONOSPACE;

/// The size of primary text: labels, fields, content.
pub const TEXT_SIZE: f32 = 15.0;
/// The size of secondary text: facts, hints, captions.
pub const SMALL_SIZE: f32 = 13.0;

/// The height of a line of text of this size.
pub const fn line_height(size: f32) -> f32 {
    // iced's default line height.
    size * 1.3
}

/// The size of a hex dump: one line fits into the default window.
pub(crate) const DUMP_SIZE: f32 = 12.0;
/// The line height of shown text, the same for all scripts.
pub(crate) const TEXT_LINE: f32 = 22.0;

/// The radius of every corner.
pub const RADIUS: f32 = 8.0;

/// The spacing scale: every gap and every padding is one of these.
pub mod space {
    /// Within a group.
    pub const TINY: f32 = 4.0;
    /// Between neighbours in a row.
    pub const SMALL: f32 = 8.0;
    /// Inside a field or a button.
    pub const MEDIUM: f32 = 12.0;
    /// Between groups, and inside a card.
    pub const LARGE: f32 = 16.0;
    /// Around a dialog.
    pub const HUGE: f32 = 24.0;
}

/// The sizes of elements that both windows have.
pub mod extent {
    /// The height of the main action of a window.
    pub const MAIN_ACTION: f32 = 52.0;
    /// The height of fields, and of buttons beside them.
    pub const FIELD: f32 = 36.0;
    /// The fixed width of the mark at the right of the key field.
    pub const BESIDE_KEY: f32 = 136.0;
    /// The maximum width of a notice in a card.
    pub const WORDS: f32 = 420.0;
    /// The maximum width of a dialog.
    pub const DIALOG_WIDTH: f32 = 560.0;
    /// The maximum height of a dialog.
    pub const DIALOG_HEIGHT: f32 = 420.0;
    /// The maximum height of the status line.
    pub(crate) const STATUS: f32 = 128.0;
    /// The width of scroll bars.
    pub const SCROLLBAR: f32 = 6.0;
    /// The diameter of a status dot.
    pub const DOT: f32 = 8.0;
}

/// The colours of one mode, named by their purpose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Colors {
    /// Behind everything.
    pub background: Color,
    /// Cards, dialogs, and what lies on the background.
    pub surface: Color,
    /// Inside of fields and of the content area.
    pub field: Color,
    /// Hairlines around cards, fields and secondary buttons.
    pub border: Color,
    /// Primary text.
    pub text: Color,
    /// Secondary text and placeholders.
    pub muted: Color,
    /// The one accent: primary buttons and the ring around what has the focus.
    pub accent: Color,
    /// The accent under the pointer.
    pub accent_hovered: Color,
    /// Text on the accent.
    pub on_accent: Color,
    /// Behind selected text.
    pub selection: Color,
    /// What a secondary or quiet button turns to under the pointer.
    pub hovered: Color,
    /// A success.
    pub success: Color,
    /// A warning.
    pub warning: Color,
    /// An error.
    pub error: Color,
    /// Every second square behind a transparent picture; the others are [`Colors::surface`].
    pub square: Color,
    /// What lies over the window while a dialog is open.
    pub dim: Color,
}

impl Colors {
    /// The light appearance.
    pub(crate) const LIGHT: Colors = Colors {
        background: color!(0xF4F5F8),
        surface: color!(0xFFFFFF),
        field: color!(0xFFFFFF),
        border: color!(0xD8DBE2),
        text: color!(0x1A1D24),
        muted: color!(0x5D6472),
        accent: color!(0x3A5FE0),
        accent_hovered: color!(0x2F50C4),
        on_accent: color!(0xFFFFFF),
        selection: color!(0xC9D5FF),
        hovered: color!(0xE9EBF0),
        success: color!(0x16794A),
        warning: color!(0x8C5A00),
        error: color!(0xB3261E),
        square: color!(0xE4E7ED),
        dim: color!(0x10131A, 0.45),
    };

    /// The dark appearance.
    pub(crate) const DARK: Colors = Colors {
        background: color!(0x15171C),
        surface: color!(0x1E2128),
        field: color!(0x181B21),
        border: color!(0x363B46),
        text: color!(0xE8EAEF),
        muted: color!(0x9CA3B0),
        accent: color!(0x4A6CF0),
        accent_hovered: color!(0x5F7EF5),
        on_accent: color!(0xFFFFFF),
        selection: color!(0x33458C),
        hovered: color!(0x2A2E37),
        success: color!(0x5CC98C),
        warning: color!(0xE8B457),
        error: color!(0xFF8A80),
        square: color!(0x2A2E38),
        dim: color!(0x000000, 0.6),
    };

    /// Returns the colours that go with `theme`.
    pub fn of(theme: &Theme) -> &'static Colors {
        match theme.mode() {
            Mode::Dark => &Self::DARK,
            Mode::Light | Mode::None => &Self::LIGHT,
        }
    }
}

/// Styles the window itself; for [`iced::Application::style`].
pub fn window<State>(_state: &State, theme: &Theme) -> iced::theme::Style {
    let colors = Colors::of(theme);
    iced::theme::Style {
        background_color: colors.background,
        text_color: colors.text,
    }
}

fn outline(color: Color) -> Border {
    Border {
        color,
        width: 1.0,
        radius: RADIUS.into(),
    }
}

/// Styles the main action of a window or dialog.
pub fn primary_button(theme: &Theme, status: button::Status) -> button::Style {
    let colors = Colors::of(theme);
    let active = button::Style {
        background: Some(Background::Color(colors.accent)),
        text_color: colors.on_accent,
        border: Border {
            radius: RADIUS.into(),
            ..Border::default()
        },
        ..button::Style::default()
    };
    match status {
        button::Status::Active => active,
        button::Status::Hovered | button::Status::Pressed => {
            active.with_background(colors.accent_hovered)
        }
        button::Status::Disabled => faded(active),
    }
}

/// Styles an action of the second rank: outlined, on the surface.
pub fn secondary_button(theme: &Theme, status: button::Status) -> button::Style {
    let colors = Colors::of(theme);
    let active = button::Style {
        background: Some(Background::Color(colors.surface)),
        text_color: colors.text,
        border: outline(colors.border),
        ..button::Style::default()
    };
    match status {
        button::Status::Active => active,
        button::Status::Hovered => active.with_background(colors.hovered),
        button::Status::Pressed => active.with_background(colors.border),
        button::Status::Disabled => faded(active),
    }
}

/// Styles a quiet action: text only, until the pointer is over it.
pub fn quiet_button(theme: &Theme, status: button::Status) -> button::Style {
    let colors = Colors::of(theme);
    let active = button::Style {
        background: None,
        text_color: colors.muted,
        border: Border {
            radius: RADIUS.into(),
            ..Border::default()
        },
        ..button::Style::default()
    };
    match status {
        button::Status::Active => active,
        button::Status::Hovered => button::Style {
            text_color: colors.text,
            ..active.with_background(colors.hovered)
        },
        button::Status::Pressed => button::Style {
            text_color: colors.text,
            ..active.with_background(colors.border)
        },
        button::Status::Disabled => faded(active),
    }
}

/// Styles an action that cannot be undone.
pub fn danger_button(theme: &Theme, status: button::Status) -> button::Style {
    let colors = Colors::of(theme);
    let style = secondary_button(theme, status);
    match status {
        button::Status::Disabled => style,
        _ => button::Style {
            text_color: colors.error,
            border: outline(colors.error),
            ..style
        },
    }
}

/// Styles a row that can be pressed, and one that the keyboard has selected.
pub fn row_button(is_selected: bool) -> impl Fn(&Theme, button::Status) -> button::Style {
    move |theme, status| {
        let colors = Colors::of(theme);
        let style = button::Style {
            text_color: colors.text,
            ..quiet_button(theme, status)
        };
        match status {
            button::Status::Active if is_selected => style.with_background(colors.selection),
            _ => style,
        }
    }
}

/// Styles the quiet action whose panel is open.
pub fn chosen_button(theme: &Theme, status: button::Status) -> button::Style {
    let colors = Colors::of(theme);
    button::Style {
        text_color: colors.text,
        ..quiet_button(theme, status).with_background(colors.hovered)
    }
}

fn faded(style: button::Style) -> button::Style {
    button::Style {
        background: style
            .background
            .map(|background| background.scale_alpha(0.5)),
        text_color: style.text_color.scale_alpha(0.5),
        ..style
    }
}

/// Styles a card: a surface with a hairline around it.
pub fn card(theme: &Theme) -> container::Style {
    let colors = Colors::of(theme);
    container::Style {
        background: Some(Background::Color(colors.surface)),
        text_color: Some(colors.text),
        border: outline(colors.border),
        ..container::Style::default()
    }
}

/// Styles a dialog: a card over the dimmed window.
///
/// It casts no shadow: the software renderer draws shadows outside of the part of the window that
/// it redraws, so that they grow darker with every key that is pressed.
pub fn dialog(theme: &Theme) -> container::Style {
    card(theme)
}

/// Styles the card that is shown while a file is over the window.
pub(crate) fn drop_hint(theme: &Theme) -> container::Style {
    container::Style {
        border: focus_ring(Colors::of(theme).accent),
        ..dialog(theme)
    }
}

/// Styles the name of a key, as if it stood on one.
pub(crate) fn key_cap(theme: &Theme) -> container::Style {
    let colors = Colors::of(theme);
    container::Style {
        background: Some(Background::Color(colors.hovered)),
        text_color: Some(colors.text),
        border: Border {
            radius: (RADIUS / 2.0).into(),
            ..outline(colors.border)
        },
        ..container::Style::default()
    }
}

/// Styles what lies over the window while a dialog is open.
pub fn dim(theme: &Theme) -> container::Style {
    container::background(Colors::of(theme).dim)
}

/// Styles the strip at the bottom that holds the status line.
pub(crate) fn footer(theme: &Theme) -> container::Style {
    container::background(Colors::of(theme).surface)
}

/// Styles a one-line field.
pub fn field(theme: &Theme, status: text_input::Status) -> text_input::Style {
    let colors = Colors::of(theme);
    text_input::Style {
        background: Background::Color(match status {
            text_input::Status::Disabled => colors.background,
            _ => colors.field,
        }),
        border: match status {
            text_input::Status::Focused { .. } => focus_ring(colors.accent),
            text_input::Status::Hovered => outline(colors.muted),
            text_input::Status::Active | text_input::Status::Disabled => outline(colors.border),
        },
        icon: colors.muted,
        placeholder: colors.muted,
        value: colors.text,
        selection: colors.selection,
    }
}

/// Styles a one-line field whose content is invalid.
pub fn wrong_field(theme: &Theme, status: text_input::Status) -> text_input::Style {
    text_input::Style {
        border: focus_ring(Colors::of(theme).error),
        ..field(theme, status)
    }
}

/// Styles a drop-down beside a field. Its label is drawn over it.
pub(crate) fn drop_down(theme: &Theme, status: pick_list::Status) -> pick_list::Style {
    let colors = Colors::of(theme);
    let (background, border) = match status {
        pick_list::Status::Active => (colors.surface, outline(colors.border)),
        pick_list::Status::Hovered => (colors.hovered, outline(colors.border)),
        pick_list::Status::Opened { .. } => (colors.surface, focus_ring(colors.accent)),
    };
    pick_list::Style {
        text_color: Color::TRANSPARENT,
        placeholder_color: Color::TRANSPARENT,
        handle_color: colors.muted,
        background: Background::Color(background),
        border,
    }
}

/// Styles the list that opens below a drop-down; without a shadow, as a [`dialog`].
pub(crate) fn drop_down_list(theme: &Theme) -> menu::Style {
    let colors = Colors::of(theme);
    menu::Style {
        background: Background::Color(colors.surface),
        border: outline(colors.border),
        text_color: colors.text,
        selected_text_color: colors.text,
        selected_background: Background::Color(colors.selection),
        shadow: Shadow::default(),
    }
}

fn focus_ring(color: Color) -> Border {
    Border {
        width: 2.0,
        ..outline(color)
    }
}

/// Styles an editable multi-line editor.
pub fn editor(theme: &Theme, status: text_editor::Status) -> text_editor::Style {
    let colors = Colors::of(theme);
    text_editor::Style {
        background: Background::Color(colors.field),
        border: match status {
            text_editor::Status::Focused { .. } => focus_ring(colors.accent),
            text_editor::Status::Hovered => outline(colors.muted),
            text_editor::Status::Active | text_editor::Status::Disabled => outline(colors.border),
        },
        placeholder: colors.muted,
        value: colors.text,
        selection: colors.selection,
    }
}

/// Styles a read-only multi-line editor inside a card.
pub fn reader(theme: &Theme, _status: text_editor::Status) -> text_editor::Style {
    let colors = Colors::of(theme);
    text_editor::Style {
        background: Background::Color(Color::TRANSPARENT),
        border: Border::default(),
        placeholder: colors.muted,
        value: colors.text,
        selection: colors.selection,
    }
}

/// Styles a thumbnail: a hairline around it, so that a white picture stands out from the card.
pub fn thumbnail(theme: &Theme) -> container::Style {
    let colors = Colors::of(theme);
    container::Style {
        background: Some(Background::Color(colors.field)),
        border: outline(colors.border),
        ..container::Style::default()
    }
}

/// Styles the bars of a scrollable.
pub fn scroll(theme: &Theme, status: scrollable::Status) -> scrollable::Style {
    let colors = Colors::of(theme);
    let moving = !matches!(status, scrollable::Status::Active { .. });
    let rail = scrollable::Rail {
        background: None,
        border: Border::default(),
        scroller: scrollable::Scroller {
            background: Background::Color(if moving { colors.muted } else { colors.border }),
            border: Border {
                radius: RADIUS.into(),
                ..Border::default()
            },
        },
    };
    scrollable::Style {
        vertical_rail: rail,
        horizontal_rail: rail,
        ..scrollable::default(theme, status)
    }
}

/// Styles a switch.
pub fn switch(theme: &Theme, status: toggler::Status) -> toggler::Style {
    let colors = Colors::of(theme);
    let (toggler::Status::Active { is_toggled }
    | toggler::Status::Hovered { is_toggled }
    | toggler::Status::Disabled { is_toggled }) = status;
    let is_hovered = matches!(status, toggler::Status::Hovered { .. });
    let (background, knob) = match (is_toggled, is_hovered) {
        (true, false) => (colors.accent, colors.on_accent),
        (true, true) => (colors.accent_hovered, colors.on_accent),
        (false, false) => (colors.border, colors.surface),
        (false, true) => (colors.muted, colors.surface),
    };
    toggler::Style {
        background: Background::Color(background),
        background_border_width: 0.0,
        background_border_color: Color::TRANSPARENT,
        foreground: Background::Color(knob),
        foreground_border_width: 0.0,
        foreground_border_color: Color::TRANSPARENT,
        text_color: Some(colors.text),
        border_radius: None,
        padding_ratio: 0.15,
    }
}

/// Styles secondary text.
pub fn muted(theme: &Theme) -> text::Style {
    text::Style {
        color: Some(Colors::of(theme).muted),
    }
}

/// Styles the text of an error.
pub fn wrong(theme: &Theme) -> text::Style {
    text::Style {
        color: Some(Colors::of(theme).error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contrast ratio of two opaque colours, as WCAG defines it.
    fn contrast(one: Color, other: Color) -> f32 {
        let (one, other) = (one.relative_luminance(), other.relative_luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_has_enough_contrast() {
        for colors in [Colors::LIGHT, Colors::DARK] {
            for text in [
                colors.text,
                colors.muted,
                colors.success,
                colors.warning,
                colors.error,
            ] {
                for ground in [colors.background, colors.surface, colors.field] {
                    let ratio = contrast(text, ground);
                    assert!(ratio >= 4.5, "{text:?} on {ground:?} has only {ratio}");
                }
            }
            for ground in [colors.accent, colors.accent_hovered] {
                assert!(contrast(colors.on_accent, ground) >= 3.5, "{ground:?}");
            }
        }
    }

    #[test]
    fn colours_follow_the_theme() {
        assert_eq!(Colors::of(&Theme::Light), &Colors::LIGHT);
        assert_eq!(Colors::of(&Theme::Dark), &Colors::DARK);
    }
}
