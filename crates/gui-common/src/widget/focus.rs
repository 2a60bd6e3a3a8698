//! The focus, which Tab takes round the fields of a window.

use iced::Task;
use iced::widget::operation;

/// Where to go on to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the next field; from the last to the first.
    Forward,
    /// To the field before; from the first to the last.
    Backward,
}

/// Moves the focus from one of `fields` to another, by their ids in the order of the window.
/// Those that are not drawn now are left out.
///
/// iced's own operations stop behind the last field, with nothing focused, before they begin anew.
pub fn go<M: Send + 'static>(fields: &'static [&'static str], direction: Direction) -> Task<M> {
    let asked = fields.iter().enumerate().map(|(index, field)| {
        operation::is_focused(*field).map(move |is_focused| (index, is_focused))
    });
    Task::batch(asked).collect().then(move |mut drawn| {
        // They answer in any order.
        drawn.sort_unstable();
        match other(&drawn, direction).and_then(|index| fields.get(index)) {
            Some(field) => operation::focus(*field),
            None => Task::none(),
        }
    })
}

/// Chooses one of the fields, each given by its number and whether it has the focus.
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
    fn it_goes_round_what_is_drawn() {
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
