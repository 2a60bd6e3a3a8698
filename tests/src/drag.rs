//! Files that another program drags over a window: the source's side of the XDND protocol.

use std::{os::unix::ffi::OsStrExt, path::Path, time::Instant};

use x11rb::{
    COPY_DEPTH_FROM_PARENT, COPY_FROM_PARENT, CURRENT_TIME, atom_manager,
    connection::Connection,
    protocol::{
        Event,
        xproto::{
            ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
            SelectionNotifyEvent, SelectionRequestEvent, WindowClass,
        },
    },
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

use crate::TIMEOUT;

/// The version of the protocol.
const VERSION: u32 = 5;

atom_manager! {
    /// The protocol's atoms.
    Atoms: AtomsCookie {
        XdndEnter,
        XdndPosition,
        XdndStatus,
        XdndLeave,
        XdndDrop,
        XdndFinished,
        XdndSelection,
        XdndActionCopy,
        uri_list: b"text/uri-list",
    }
}

/// Files dragged over a window by another program.
#[derive(Debug)]
pub struct Drag {
    connection: RustConnection,
    atoms: Atoms,
    /// The window that is the source of the files.
    source: u32,
    /// The window that they are over.
    target: u32,
    /// The files, as a list of URIs.
    list: Vec<u8>,
}

impl Drag {
    /// Drags files over the window with this id, and waits until it has requested their names.
    pub(crate) fn over(display: &str, target: u32, paths: &[&Path]) -> Drag {
        let (connection, screen) = x11rb::connect(Some(display)).expect("the display answers");
        let atoms = Atoms::new(&connection).expect("the display answers");
        let atoms = atoms.reply().expect("the display knows the atoms");
        let source = connection.generate_id().expect("there are ids left");
        let root = connection.setup().roots[screen].root;
        let window = connection.create_window(
            COPY_DEPTH_FROM_PARENT,
            source,
            root,
            0,
            0,
            1,
            1,
            0,
            WindowClass::INPUT_OUTPUT,
            COPY_FROM_PARENT,
            &CreateWindowAux::new(),
        );
        window
            .expect("the display answers")
            .check()
            .expect("a window can be made");
        connection
            .set_selection_owner(source, atoms.XdndSelection, CURRENT_TIME)
            .expect("the display answers");
        let drag = Drag {
            connection,
            atoms,
            source,
            target,
            list: uri_list(paths),
        };
        drag.send(atoms.XdndEnter, [VERSION << 24, atoms.uri_list, 0, 0]);
        drag.send(
            atoms.XdndPosition,
            [0, 0, CURRENT_TIME, atoms.XdndActionCopy],
        );
        drag.serve();
        drag
    }

    /// Drops the files, and waits until the window has accepted or refused them.
    pub fn drop_here(self) {
        self.send(self.atoms.XdndDrop, [0, CURRENT_TIME, 0, 0]);
        self.wait_for("the end of the drop", |event| {
            matches!(event, Event::ClientMessage(message) if message.type_ == self.atoms.XdndFinished)
        });
    }

    /// Drags the files away again.
    pub fn leave(self) {
        self.send(self.atoms.XdndLeave, [0; 4]);
    }

    /// Answers the request for the names of the files.
    fn serve(&self) {
        let mut is_served = false;
        let mut is_accepted = false;
        self.wait_for("the window's question", |event| {
            match event {
                Event::SelectionRequest(request) => {
                    self.answer(request);
                    is_served = true;
                }
                Event::ClientMessage(message) if message.type_ == self.atoms.XdndStatus => {
                    is_accepted = message.data.as_data32()[1] & 1 == 1;
                }
                _ => {}
            }
            is_served && is_accepted
        });
    }

    fn answer(&self, request: &SelectionRequestEvent) {
        self.connection
            .change_property8(
                PropMode::REPLACE,
                request.requestor,
                request.property,
                request.target,
                &self.list,
            )
            .expect("the display answers");
        let answer = SelectionNotifyEvent {
            response_type: x11rb::protocol::xproto::SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property: request.property,
        };
        self.connection
            .send_event(false, request.requestor, EventMask::NO_EVENT, answer)
            .expect("the display answers");
        self.connection.flush().expect("the display answers");
    }

    fn send(&self, word: u32, rest: [u32; 4]) {
        let [one, two, three, four] = rest;
        let data = [self.source, one, two, three, four];
        let message = ClientMessageEvent::new(32, self.target, word, data);
        self.connection
            .send_event(false, self.target, EventMask::NO_EVENT, message)
            .expect("the display answers");
        // A flush is not enough: unread requests may be lost when the connection ends.
        self.connection.sync().expect("the display answers");
    }

    fn wait_for(&self, what: &str, mut is_it: impl FnMut(&Event) -> bool) {
        let deadline = Instant::now() + TIMEOUT;
        while Instant::now() < deadline {
            let Some(event) = self
                .connection
                .poll_for_event()
                .expect("the display answers")
            else {
                std::thread::sleep(crate::desktop::POLL_INTERVAL);
                continue;
            };
            if is_it(&event) {
                return;
            }
        }
        panic!("timeout waiting for {what}");
    }
}

/// Encodes paths as file managers do.
fn uri_list(paths: &[&Path]) -> Vec<u8> {
    let mut list = String::new();
    for path in paths {
        list.push_str("file://");
        for byte in path.as_os_str().as_bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                    list.push(char::from(*byte));
                }
                _ => list.push_str(&format!("%{byte:02X}")),
            }
        }
        list.push_str("\r\n");
    }
    list.into_bytes()
}
