//! Looks at what is in shared memory, whoever put it there.

use std::hash::Hash;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use app_kit::snapshot::{self, Snapshot};
use iced::futures::channel::mpsc::Sender;
use iced::futures::executor::block_on;
use iced::futures::{SinkExt, Stream};
use iced::{Subscription, stream};
use shm_core::{AttachError, Key, Options, Subscriber, Wait, segment};

/// How often it is looked at who is attached: that wakes nobody.
const PRESENCE: Duration = Duration::from_secs(1);

/// What was seen under a key.
#[derive(Clone, Debug)]
pub enum Observation {
    /// Nobody has a segment there.
    Nothing,
    /// This is the content now.
    Content(Snapshot),
    /// The content is what it was, and these are attached.
    Presence(segment::Info),
    /// Something is there, and cannot be read; the sentence says why.
    Unreadable(String),
}

/// Watches a key: the content as it changes, and once a second who is attached.
///
/// The window gets an observation only when it has taken the last one, and then the latest: a
/// loader that publishes faster than a window draws does not fill its queue.
pub fn watch(key: &Key, directory: Option<PathBuf>) -> Subscription<Observation> {
    let place = Place {
        key: key.clone(),
        directory,
    };
    Subscription::run_with(place, observations)
}

/// What is watched. Another place is another subscription.
#[derive(Clone, Debug, Hash)]
struct Place {
    key: Key,
    directory: Option<PathBuf>,
}

fn observations(place: &Place) -> impl Stream<Item = Observation> + use<> {
    let Place { key, directory } = place.clone();
    let options = match directory {
        Some(directory) => Options::new().directory(directory),
        None => Options::new(),
    };
    stream::channel(1, async move |mut output: Sender<Observation>| {
        let mut watcher = Watcher {
            key,
            options,
            output: output.clone(),
            said: Said::Content,
        };
        let spawned = thread::Builder::new()
            .name("watch".to_owned())
            // Ends with the subscription: when nobody takes observations any more.
            .spawn(move || while watcher.look().is_some() {});
        if let Err(error) = spawned {
            let sentence = format!("The system gave no thread to watch shared memory ({error}).");
            output.send(Observation::Unreadable(sentence)).await.ok();
        }
    })
}

/// Looks, on a thread of its own. `None` from any function means that nobody wants to know.
struct Watcher {
    key: Key,
    options: Options,
    output: Sender<Observation>,
    said: Said,
}

/// What was said last, so that what stays the same is not said every second.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Content,
    Nothing,
    Unreadable(String),
}

impl Watcher {
    /// Attaches as soon as there is something, and follows it until it is gone.
    fn look(&mut self) -> Option<()> {
        // That there is nothing is said at once, and only then waited for.
        let timeout = match self.said {
            Said::Nothing => PRESENCE,
            Said::Content | Said::Unreadable(_) => Duration::ZERO,
        };
        match Subscriber::attach_within(&self.key, &self.options, Some(timeout)) {
            Ok(subscriber) => self.follow(subscriber),
            Err(AttachError::NotFound { .. } | AttachError::Timeout { .. }) => self.say_nothing(),
            Err(AttachError::WrongKind { .. }) => {
                // A block wakes nobody: it is read as often as it is looked at who is attached.
                self.say_content()?;
                self.pause()
            }
            Err(error) => {
                self.say_unreadable(error.to_string())?;
                self.pause()
            }
        }
    }

    fn follow(&mut self, mut subscriber: Subscriber) -> Option<()> {
        loop {
            // Tells the subscriber up to where the content is known. It is read only afterwards,
            // so that what is published in between wakes the wait.
            if let Err(error) = subscriber.latest() {
                self.say_unreadable(error.to_string())?;
                return self.pause();
            }
            self.say_content()?;
            loop {
                match subscriber.wait(Some(PRESENCE)) {
                    Ok(Wait::New) => break,
                    Ok(Wait::Timeout) => self.say_presence()?,
                    // Only a persistent segment outlives its last publisher. It is waited for
                    // the next one, as for any news.
                    Ok(Wait::Ended) if self.exists() => self.say_presence()?,
                    Ok(Wait::Ended | Wait::Orphaned) => return self.say_nothing(),
                    Err(error) => {
                        self.say_unreadable(error.to_string())?;
                        return self.pause();
                    }
                }
            }
        }
    }

    fn exists(&self) -> bool {
        segment::info(&self.key, &self.options).is_ok()
    }

    fn say_content(&mut self) -> Option<()> {
        match snapshot::read(&self.key, &self.options) {
            Ok(content) => {
                self.said = Said::Content;
                self.say(Observation::Content(content))
            }
            Err(error) if error.is_not_found() => self.say_nothing(),
            Err(error) => self.say_unreadable(error.to_string()),
        }
    }

    fn say_presence(&mut self) -> Option<()> {
        match segment::info(&self.key, &self.options) {
            Ok(info) => self.say(Observation::Presence(info)),
            Err(_) => self.is_wanted(),
        }
    }

    fn say_nothing(&mut self) -> Option<()> {
        self.say_once(Said::Nothing, Observation::Nothing)
    }

    fn say_unreadable(&mut self, sentence: String) -> Option<()> {
        self.say_once(
            Said::Unreadable(sentence.clone()),
            Observation::Unreadable(sentence),
        )
    }

    fn say_once(&mut self, said: Said, observation: Observation) -> Option<()> {
        if self.said == said {
            return self.is_wanted();
        }
        self.said = said;
        self.say(observation)
    }

    /// Hands over an observation; waits until the window has taken the one before.
    fn say(&mut self, observation: Observation) -> Option<()> {
        block_on(self.output.send(observation)).ok()
    }

    /// Lets a second pass where nothing wakes.
    fn pause(&self) -> Option<()> {
        thread::sleep(PRESENCE);
        self.is_wanted()
    }

    fn is_wanted(&self) -> Option<()> {
        (!self.output.is_closed()).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::pin::{Pin, pin};

    use app_kit::snapshot::Content;
    use iced::futures::StreamExt;
    use shm_core::{Access, Publisher};

    /// Waits for an observation that `matches`; those before it may be older.
    fn await_observation<S: Stream<Item = Observation>>(
        stream: &mut Pin<&mut S>,
        matches: impl Fn(&Observation) -> bool,
    ) {
        while let Some(observation) = block_on(stream.next()) {
            if matches(&observation) {
                return;
            }
        }
        panic!("the watch ended");
    }

    fn is_text(observation: &Observation, expected: &str) -> bool {
        match observation {
            Observation::Content(snapshot) => match &snapshot.content {
                Content::Text(text) => text.shown == expected,
                _ => false,
            },
            _ => false,
        }
    }

    #[test]
    fn everything_that_happens_to_a_key_is_seen() {
        let directory = tempfile::tempdir().unwrap();
        let key = Key::new("watched").unwrap();
        let options = Options::new().directory(directory.path());
        let mut stream = pin!(observations(&Place {
            key: key.clone(),
            directory: Some(directory.path().to_owned()),
        }));
        await_observation(&mut stream, |seen| matches!(seen, Observation::Nothing));

        let publisher = Publisher::open(&key, &options).unwrap();
        publisher.publish_text("one").unwrap();
        await_observation(&mut stream, |seen| is_text(seen, "one"));
        publisher.publish_text("two").unwrap();
        await_observation(&mut stream, |seen| is_text(seen, "two"));
        await_observation(&mut stream, |seen| match seen {
            Observation::Presence(info) => {
                info.attached.iter().any(|peer| peer.process.is_current())
            }
            _ => false,
        });
        publisher.clear().unwrap();
        await_observation(
            &mut stream,
            |seen| matches!(seen, Observation::Content(snapshot) if snapshot.is_empty()),
        );
        drop(publisher);
        await_observation(&mut stream, |seen| matches!(seen, Observation::Nothing));

        let publisher = Publisher::open(&key, &options.persistent(true)).unwrap();
        publisher.publish_text("stays").unwrap();
        await_observation(&mut stream, |seen| is_text(seen, "stays"));
        drop(publisher);
        await_observation(&mut stream, |seen| match seen {
            Observation::Presence(info) => {
                info.persistent
                    && !info
                        .attached
                        .iter()
                        .any(|peer| peer.access == Access::ReadWrite)
            }
            _ => false,
        });
        let publisher = Publisher::open(&key, &Options::new().directory(directory.path())).unwrap();
        publisher.publish_text("again").unwrap();
        await_observation(&mut stream, |seen| is_text(seen, "again"));
    }

    #[test]
    fn what_is_foreign_is_said_to_be() {
        let directory = tempfile::tempdir().unwrap();
        let key = Key::new("watched").unwrap();
        let options = Options::new().directory(directory.path());
        let publisher = Publisher::open(&key, &options).unwrap();
        let name = std::fs::read_dir(directory.path()).unwrap().next().unwrap();
        let path = name.unwrap().path();
        drop(publisher);
        std::fs::write(path, "foreign").unwrap();
        let mut stream = pin!(observations(&Place {
            key,
            directory: Some(directory.path().to_owned()),
        }));
        await_observation(
            &mut stream,
            |seen| matches!(seen, Observation::Unreadable(sentence) if !sentence.is_empty()),
        );
    }
}
