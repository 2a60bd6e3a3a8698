//! Keyboard focus: Tab cycles through the fields of a window.

use iced::Task;
use iced::widget::operation;

/// The direction in which the focus moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the next field; from the last field to the first.
    Forward,
    /// To the previous field; from the first field to the last.
    Backward,
}

/// Moves the focus from one of `fields` to the next. The ids are in the order of the window; fields
/// that are not drawn are skipped.
///
/// iced's own operations leave nothing focused after the last field before they wrap around.
pub fn go<M: Send + 'static>(fields: &'static [&'static str], direction: Direction) -> Task<M> {
    let asked = fields.iter().enumerate().map(|(index, field)| {
        operation::is_focused(*field).map(move |is_focused| (index, is_focused))
    });
    Task::batch(asked).collect().then(move |mut drawn| {
        // The operations finish in any order.
        drawn.sort_unstable();
        match other(&drawn, direction).and_then(|index| fields.get(index)) {
            Some(field) => operation::focus(*field),
            None => Task::none(),
        }
    })
}

/// Returns the index of the field that gets the focus. Each field is given by its index and whether
/// it is focused.
fn other(drawn: &[(usize, bool)], direction: Direction) -> Option<usize> {
    let focused = drawn.iter().position(|(_, is_focused)| *is_focused);
    let chosen = match (direction, focused) {
        (Direction::Forward, Some(last)) if last + 1 == drawn.len() => drawn.first(),
        (Direction::Forward, Some(at)) => drawn.get(at + 1),
        (Direction::Forward, None) => drawn.first(),
        (Direction::Backward, Some(0) | None) => drawn.last(),
        (Direction::Backward, Some(at)) => drawn.get(at - 1),
    };
    chosen.map(|(index, _)| *index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn focus_cycles_through_the_drawn_fields() {
        use Direction::{Backward, Forward};
        let nothing: [(usize, bool); 0] = [];
        assert_eq!(other(&nothing, Forward), None);
        assert_eq!(other(&nothing, Backward), None);
        let none = [(0, false), (2, false)];
        assert_eq!(other(&none, Forward), Some(0));
        assert_eq!(other(&none, Backward), Some(2));
        let first = [(0, true), (2, false)];
        assert_eq!(other(&first, Forward), Some(2));
        assert_eq!(other(&first, Backward), Some(2));
        let last = [(0, false), (1, false), (2, true)];
        assert_eq!(other(&last, Forward), Some(0));
        assert_eq!(other(&last, Backward), Some(1));
    }
}
