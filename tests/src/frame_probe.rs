//! A fast check of a display.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

use crate::Area;

/// One in so many rows of the display is read: every window is higher than that.
const ROW_STEP: u32 = 8;

/// Detects changes on a display a thousand times a second: a [`Screen`](crate::Screen) takes longer
/// to read than a window takes to open.
#[derive(Debug)]
pub struct FrameProbe {
    frame_buffer: File,
    first_row: u64,
    row_bytes: u64,
    whole: Area,
}

impl FrameProbe {
    pub(crate) fn of(frame_buffer: &Path) -> FrameProbe {
        let frame_buffer = File::open(frame_buffer).expect("the display server keeps it");
        let word = |index: u64| {
            let mut word = [0; 4];
            let read = frame_buffer.read_exact_at(&mut word, index * 4);
            read.expect("the file has the header of xwd");
            u32::from_be_bytes(word)
        };
        FrameProbe {
            first_row: u64::from(word(0) + word(19) * 12),
            row_bytes: word(12).into(),
            whole: Area {
                x: 0,
                y: 0,
                width: word(4),
                height: word(5),
            },
            frame_buffer,
        }
    }

    /// Returns some rows of an area, as they are now.
    #[must_use]
    pub fn rows(&self, area: Area) -> Vec<u8> {
        let row_bytes = area.width as usize * 4;
        let ys = (area.y..area.y + area.height).step_by(ROW_STEP as usize);
        let mut rows = vec![0; ys.len() * row_bytes];
        for (y, row) in ys.zip(rows.chunks_exact_mut(row_bytes)) {
            let at = self.first_row + u64::from(y) * self.row_bytes + u64::from(area.x) * 4;
            let read: io::Result<()> = self.frame_buffer.read_exact_at(row, at);
            read.expect("the area is on the display");
        }
        rows
    }

    /// Returns `true` if nothing is drawn anywhere.
    #[must_use]
    pub fn is_black(&self) -> bool {
        let is_black = |pixel: &[u8]| pixel[..3] == [0; 3];
        self.rows(self.whole).chunks_exact(4).all(is_black)
    }
}
