//! A virtual list: rows of equal height, of which only the visible ones are laid out.

use gui_common::widget::theme;
use iced::widget::scrollable::{Direction, Scrollbar};
use iced::widget::{Column, container, responsive, scrollable, space};
use iced::{Element, Fill};

/// The height of a row of two lines, logical pixels.
pub(super) const HEIGHT: f32 = 52.0;

/// Draws a card with `count` rows. `offset` is the scroll offset last reported by `on_scroll`.
pub(super) fn view<'a, Message: Clone + 'a>(
    id: &'static str,
    count: usize,
    offset: f32,
    on_scroll: impl Fn(f32) -> Message + Copy + 'a,
    row: impl Fn(usize) -> Element<'a, Message> + 'a,
) -> Element<'a, Message> {
    let rows = responsive(move |size| {
        let (first, last) = visible(count, offset, size.height);
        let above = space().height(height_of(first));
        let below = space().height(height_of(count - last));
        let rows = Column::new()
            .push(above)
            .extend((first..last).map(|index| container(row(index)).height(HEIGHT).into()))
            .push(below);
        scrollable(rows)
            .id(id)
            .direction(Direction::Vertical(
                Scrollbar::new()
                    .width(theme::extent::SCROLLBAR)
                    .scroller_width(theme::extent::SCROLLBAR)
                    .margin(2),
            ))
            .on_scroll(move |viewport| on_scroll(viewport.absolute_offset().y))
            .width(Fill)
            .height(Fill)
            .style(theme::scroll)
            .into()
    });
    container(rows)
        .padding(theme::space::TINY)
        .width(Fill)
        .height(Fill)
        .clip(true)
        .style(theme::card)
        .into()
}

/// Returns the scroll offset that makes a row visible, with two rows above it.
pub(super) fn offset_of(index: usize) -> f32 {
    height_of(index.saturating_sub(2))
}

/// Returns the range of rows to lay out, as the first and the one after the last.
fn visible(count: usize, offset: f32, height: f32) -> (usize, usize) {
    // The list may have become shorter since it was scrolled.
    let offset = offset.min(height_of(count) - height).max(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "neither is negative, and `as` stays within bounds for any number"
    )]
    let whole_rows = |height: f32| (height / HEIGHT) as usize;
    let first = whole_rows(offset).min(count);
    let last = first.saturating_add(whole_rows(height)).saturating_add(2);
    (first, last.min(count))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "only beyond three hundred thousand rows are they off by a pixel"
)]
fn height_of(rows: usize) -> f32 {
    rows as f32 * HEIGHT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_visible_rows_are_laid_out() {
        assert_eq!(visible(0, 0.0, 300.0), (0, 0));
        assert_eq!(visible(3, 0.0, 300.0), (0, 3));
        assert_eq!(visible(1_000, 0.0, 300.0), (0, 7));
        assert_eq!(visible(1_000, 10.5 * HEIGHT, 300.0), (10, 17));
        let end = height_of(1_000) - 300.0;
        assert_eq!(visible(1_000, end, 300.0), (994, 1_000));
        // The offset exceeds a list that a filter has shortened.
        assert_eq!(visible(8, end, 300.0), (2, 8));
        assert_eq!(visible(2, end, 300.0), (0, 2));
    }
}
