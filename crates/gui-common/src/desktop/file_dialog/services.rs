//! The desktop's services behind a file dialog, watched on the message bus.

use std::future;

use iced::futures::{FutureExt, StreamExt};
use zbus::fdo::{DBusProxy, NameOwnerChanged, NameOwnerChangedStream};
use zbus::names::BusName;
use zbus::{Connection, Proxy};

/// The service that programs ask for a dialog.
const PORTAL: &str = "org.freedesktop.portal.Desktop";
/// Where it stands, and what it has only where there is a service behind it that can show one.
const PORTAL_PATH: &str = "/org/freedesktop/portal/desktop";
const FILE_CHOOSER: &str = "org.freedesktop.portal.FileChooser";
/// What the names of those begin with that it passes the question on to.
const BACKENDS: &str = "org.freedesktop.impl.portal.desktop.";

/// Knows which of the services end.
#[derive(Debug)]
pub(super) struct Services {
    bus: DBusProxy<'static>,
    changes: NameOwnerChangedStream,
}

impl Services {
    /// Watches from now on.
    pub(super) async fn watch() -> zbus::Result<Services> {
        let connection = Connection::session().await?;
        let bus = DBusProxy::new(&connection).await?;
        let changes = bus.receive_name_owner_changed().await?;
        Ok(Services { bus, changes })
    }

    /// Returns `true` if a service shows file dialogs. Starts it where it does not run yet.
    pub(super) async fn can_show_dialogs(&self) -> bool {
        let connection = self.bus.inner().connection();
        match Proxy::new(connection, PORTAL, PORTAL_PATH, FILE_CHOOSER).await {
            Ok(portal) => portal.get_property::<u32>("version").await.is_ok(),
            Err(_) => false,
        }
    }

    /// Ends when one of the services ends.
    pub(super) async fn death(&mut self) {
        while let Some(change) = self.changes.next().await {
            if is_death(&change) {
                return;
            }
        }
        // The bus itself is gone; the dialog, connected to it too, has to notice.
        future::pending().await
    }

    /// Returns `true` if one of the services has ended up to now.
    pub(super) async fn have_died(&mut self) -> bool {
        // The bus tells things in order: all that came before this answer has been told.
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
    fn the_portal_and_its_backends_are_services_and_nothing_else() {
        let named = |name| is_service(&BusName::try_from(name).expect("it is a name"));
        assert!(named(PORTAL));
        assert!(named("org.freedesktop.impl.portal.desktop.gtk"));
        assert!(!named("org.freedesktop.portal.Documents"));
        assert!(!named(":1.5"));
    }
}
