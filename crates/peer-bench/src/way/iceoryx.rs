//! iceoryx2: publish and subscribe, polled or with an event.

use std::path::Path;

use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::*;

use super::{Link, Side, Way};
use crate::Outcome;

/// The number of messages in a subscriber's buffer before a blocking publisher waits.
const QUEUE: usize = 1024;

pub(crate) struct Iceoryx {
    publisher: Publisher<ipc::Service, [u8], ()>,
    subscriber: Subscriber<ipc::Service, [u8], ()>,
    bell: Option<(Notifier<ipc::Service>, Listener<ipc::Service>)>,
    _node: Node<ipc::Service>,
}

impl Iceoryx {
    pub(crate) fn open(way: Way, side: Side, place: &Path, bytes: usize) -> Outcome<Self> {
        let (with_event, is_blocking) = match way {
            Way::IceoryxEvent => (true, false),
            Way::IceoryxBlocking => (true, true),
            _ => (false, false),
        };
        set_log_level(LogLevel::Error);
        let node = NodeBuilder::new()
            .config(&config(place)?)
            .create::<ipc::Service>()?;
        let name = |lane: &str| ServiceName::new(lane);
        let [there, back] = side.lanes();
        let samples = |lane: &str| -> Outcome<_> {
            let service = node.service_builder(&name(lane)?);
            let mut service = service.publish_subscribe::<[u8]>();
            if is_blocking {
                service = service
                    .enable_safe_overflow(false)
                    .subscriber_max_buffer_size(QUEUE);
            }
            Ok(service.open_or_create()?)
        };
        let event = |lane: &str| -> Outcome<_> {
            Ok(node
                .service_builder(&name(lane)?)
                .event()
                .open_or_create()?)
        };
        let service = samples(there)?;
        let mut publisher = service.publisher_builder().initial_max_slice_len(bytes);
        if is_blocking {
            publisher = publisher.backpressure_strategy(BackpressureStrategy::RetryUntilDelivered);
        }
        let publisher = publisher.create()?;
        let subscriber = samples(back)?.subscriber_builder().create()?;
        let bell = if with_event {
            let notifier = event(there)?.notifier_builder().create()?;
            Some((notifier, event(back)?.listener_builder().create()?))
        } else {
            None
        };
        Ok(Self {
            publisher,
            subscriber,
            bell,
            _node: node,
        })
    }
}

/// The defaults, except for file names: static files are in the directory of the contest, the
/// others have the arena's prefix, and the arena removes them.
fn config(place: &Path) -> Outcome<Config> {
    let mut config = Config::default();
    let mut names = place.iter().rev().map(|name| name.to_string_lossy());
    let (place_name, arena) = (names.next(), names.next());
    let prefix = format!(
        "{}{}_",
        arena.unwrap_or_default(),
        place_name.unwrap_or_default()
    );
    config.global.prefix = FileName::new(prefix.as_bytes())?;
    let root = place.to_str().ok_or("a place without a name")?;
    config
        .global
        .set_root_path(&iceoryx2::prelude::Path::new(root.as_bytes())?);
    Ok(config)
}

impl Link for Iceoryx {
    fn send(&mut self, payload: &[u8]) -> Outcome {
        let loan = self.publisher.loan_slice_uninit(payload.len())?;
        loan.write_from_slice(payload).send()?;
        if let Some((notifier, _)) = &self.bell {
            notifier.notify()?;
        }
        Ok(())
    }

    fn receive(&mut self, look: &mut dyn FnMut(&[u8]) -> Outcome) -> Outcome {
        loop {
            if let Some(sample) = self.subscriber.receive()? {
                return look(sample.payload());
            }
            match &self.bell {
                // A late notification may be for a message that was already received.
                Some((_, listener)) => listener.blocking_wait(|_| {}).map(drop)?,
                None => std::hint::spin_loop(),
            }
        }
    }
}
