//! The desktop's services behind a file dialog, monitored on the message bus.

use std::future;

use iced::futures::{FutureExt, StreamExt};
use zbus::fdo::{DBusProxy, NameOwnerChanged, NameOwnerChangedStream};
use zbus::names::BusName;
use zbus::{Connection, Proxy};

/// The service that programs ask for a dialog.
const PORTAL: &str = "org.freedesktop.portal.Desktop";
/// Its object path, and the property that it has only if a backend can show file dialogs.
const PORTAL_PATH: &str = "/org/freedesktop/portal/desktop";
const FILE_CHOOSER: &str = "org.freedesktop.portal.FileChooser";
/// The prefix of the names of its backends.
const BACKENDS: &str = "org.freedesktop.impl.portal.desktop.";

/// Detects when one of the services ends.
#[derive(Debug)]
pub(super) struct Services {
    bus: DBusProxy<'static>,
    changes: NameOwnerChangedStream,
}

impl Services {
    /// Begins to monitor the services.
    pub(super) async fn watch() -> zbus::Result<Services> {
        let connection = Connection::session().await?;
        let bus = DBusProxy::new(&connection).await?;
        let changes = bus.receive_name_owner_changed().await?;
        Ok(Services { bus, changes })
    }

    /// Returns `true` if a service shows file dialogs. Starts it if necessary.
    pub(super) async fn can_show_dialogs(&self) -> bool {
        let connection = self.bus.inner().connection();
        match Proxy::new(connection, PORTAL, PORTAL_PATH, FILE_CHOOSER).await {
            Ok(portal) => portal.get_property::<u32>("version").await.is_ok(),
            Err(_) => false,
        }
    }

    /// Completes when one of the services ends.
    pub(super) async fn death(&mut self) {
        while let Some(change) = self.changes.next().await {
            if is_death(&change) {
                return;
            }
        }
        // The bus connection is lost; the dialog, which uses the bus too, detects that itself.
        future::pending().await
    }

    /// Returns `true` if one of the services has ended so far.
    pub(super) async fn have_died(&mut self) -> bool {
        // The bus delivers in order: all signals before this answer have arrived.
        if self.bus.get_id().await.is_err() {
            return true;
        }
        while let Some(Some(change)) = self.changes.next().now_or_never() {
            if is_death(&change) {
                return true;
            }
        }
        false
    }
}

fn is_death(change: &NameOwnerChanged) -> bool {
    change.args().is_ok_and(|change| {
        let has_left = change.old_owner().is_some() && change.new_owner().is_none();
        has_left && is_service(change.name())
    })
}

fn is_service(name: &BusName<'_>) -> bool {
    *name == PORTAL || name.starts_with(BACKENDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_portal_and_its_backends_are_services() {
        let named = |name| is_service(&BusName::try_from(name).expect("it is a name"));
        assert!(named(PORTAL));
        assert!(named("org.freedesktop.impl.portal.desktop.gtk"));
        assert!(!named("org.freedesktop.portal.Documents"));
        assert!(!named(":1.5"));
    }
}
