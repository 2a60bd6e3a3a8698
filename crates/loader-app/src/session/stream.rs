//! Streams frames into a segment.

use shm_io::Address;

use super::player::Player;
use super::stream_report::{StreamControl, StreamEnd, StreamSummary};
use super::{LoadError, Loaded, Session};
use crate::frames::FrameReader;

impl Session {
    /// Publishes frames under `address` until they end or `control` stops the stream. The last one
    /// stays loaded.
    ///
    /// Like [`Session::load`], releases the segment of another address once the first frame is
    /// published. A later frame for which there is not enough memory is skipped, and the frame
    /// before it remains. Returns `None` if there was no frame before the stream ended.
    ///
    /// # Errors
    ///
    /// Returns a [`LoadError`] if the first frame cannot be published; the content that was loaded
    /// before remains.
    pub(crate) fn stream(
        &mut self,
        address: impl Into<Address>,
        frames: &mut dyn FrameReader,
        control: &mut dyn StreamControl,
    ) -> Result<Option<StreamSummary>, LoadError> {
        let address = address.into();
        // A removed segment is released first: frames cannot be read a second time.
        self.sink.release_if_lost();
        let mut player = Player::new(frames, control);
        let begun = loop {
            match self.sink.begin(&address, |sink| player.first(sink)) {
                Err(error) if player.should_restore(&error) => {
                    if player.cool_down().is_break() {
                        return Ok(None);
                    }
                    self.sink.release_if_lost();
                }
                begun => break begun?,
            }
        };
        let Some((shape, published)) = begun else {
            return Ok(None);
        };
        let loaded = Loaded(published);
        player.control.begun(&loaded, &shape);
        let end = self.play_rest(&mut player);
        let totals = player.totals;
        if matches!(end, StreamEnd::Failed(_)) {
            self.sink.release_if_lost();
        }
        Ok(Some(StreamSummary {
            key: address,
            totals,
            end,
        }))
    }

    /// Publishes all frames after the first, and creates lost segments again if the control says
    /// so.
    fn play_rest(&mut self, player: &mut Player<'_>) -> StreamEnd {
        loop {
            let sink = self.sink.frames();
            let end = sink.map_or(StreamEnd::Finished, |mut sink| player.rest(&mut sink));
            match end {
                StreamEnd::Failed(error) if player.should_restore(&error) => {}
                end => return end,
            }
            if player.cool_down().is_break() {
                return StreamEnd::Stopped;
            }
            self.sink.release_if_lost();
            match self.restore() {
                Ok(Some(loaded)) => player.control.restored(&loaded),
                Ok(None) => return StreamEnd::Finished,
                Err(error) => return StreamEnd::Failed(error),
            }
        }
    }
}
