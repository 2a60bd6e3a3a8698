//! A program about to be started.

use std::{
    ffi::OsStr,
    fs::File,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use crate::{Bus, Desktop, Outcome, Program, terminal};

/// A command line with its environment, input and outputs.
#[derive(Debug)]
#[must_use = "nothing runs before `start` or `run`"]
pub struct Launch {
    command: Command,
    input: Input,
    /// Which of its outputs is a terminal.
    has_terminal: HasTerminal,
}

#[derive(Clone, Copy, Debug, Default)]
struct HasTerminal {
    stdout: bool,
    stderr: bool,
}

#[derive(Debug)]
enum Input {
    None,
    Bytes(Vec<u8>),
    KeptOpen,
}

impl Launch {
    /// Prepares `program`, without the display, the session bus and the configuration of the user
    /// that runs the tests.
    pub fn new(program: impl AsRef<OsStr>) -> Launch {
        let mut command = Command::new(program);
        command
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env_remove("XDG_RUNTIME_DIR")
            .env("XDG_CONFIG_HOME", "/nonexistent")
            .env("LC_ALL", "C.UTF-8");
        Launch {
            command,
            input: Input::None,
            has_terminal: HasTerminal::default(),
        }
    }

    /// Adds arguments.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Launch {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Launch {
        self.command.env(name, value);
        self
    }

    /// Starts it in this directory.
    pub fn in_directory(mut self, directory: &Path) -> Launch {
        self.command.current_dir(directory);
        self
    }

    /// Gives it `bytes` as its input, and then the end.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Launch {
        self.input = Input::Bytes(bytes.into());
        self
    }

    /// Keeps its input open, for [`Program::write_line`].
    pub fn input_kept_open(mut self) -> Launch {
        self.input = Input::KeptOpen;
        self
    }

    /// Makes its standard output a terminal.
    pub fn with_stdout_on_terminal(mut self) -> Launch {
        self.has_terminal.stdout = true;
        self
    }

    /// Makes its standard error a terminal.
    pub fn with_stderr_on_terminal(mut self) -> Launch {
        self.has_terminal.stderr = true;
        self
    }

    /// Lets it open its windows on `desktop`.
    pub fn on(self, desktop: &Desktop) -> Launch {
        self.env("DISPLAY", desktop.display())
    }

    /// Connects it to the desktop's services.
    pub fn with(self, bus: &Bus) -> Launch {
        self.env("DBUS_SESSION_BUS_ADDRESS", bus.address())
            .env("XDG_RUNTIME_DIR", bus.runtime_dir())
    }

    /// Starts it through another program, with these arguments before its own command line.
    pub fn through<S: AsRef<OsStr>>(
        self,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = S>,
    ) -> Launch {
        let outer = Launch::new(program).args(arguments);
        let outer = outer.args([self.command.get_program()]);
        outer.going_on_as(self)
    }

    /// Takes the arguments of another launch, and its environment.
    fn going_on_as(mut self, other: Launch) -> Launch {
        self.command.args(other.command.get_args());
        for (name, value) in other.command.get_envs() {
            match value {
                Some(value) => self.command.env(name, value),
                None => self.command.env_remove(name),
            };
        }
        if let Some(directory) = other.command.get_current_dir() {
            self.command.current_dir(directory);
        }
        self.input = other.input;
        self.has_terminal = other.has_terminal;
        self
    }

    /// Returns the program, as it was given.
    pub(crate) fn program(&self) -> &OsStr {
        self.command.get_program()
    }

    /// Replaces the program, with all else the same.
    pub(crate) fn instead(self, program: impl AsRef<OsStr>) -> Launch {
        Launch::new(program).going_on_as(self)
    }

    /// Starts it.
    #[must_use]
    pub fn start(mut self) -> Program {
        let name = format!("{:?}", self.command);
        let stdin = match self.input {
            Input::None => Stdio::null(),
            Input::Bytes(_) | Input::KeptOpen => Stdio::piped(),
        };
        let (stdout, seen) = output(self.has_terminal.stdout);
        let (stderr, seen_complaints) = output(self.has_terminal.stderr);
        let mut child = self
            .command
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        // A terminal ends when no process has it open for writing.
        drop(self.command);
        if let Input::Bytes(bytes) = self.input {
            let mut pipe = child.stdin.take().expect("stdin is a pipe");
            // A thread, because the program may print before it has read all. A program that ends
            // before it has read all is judged by its exit status.
            thread::spawn(move || pipe.write_all(&bytes));
        }
        Program::new(name, child, seen, seen_complaints)
    }

    /// Starts it and waits until it ends.
    #[must_use = "how it ended is what the test is about"]
    pub fn run(self) -> Outcome {
        self.start().finish()
    }
}

/// Returns an output for a program, and for a terminal the side to read from.
fn output(is_terminal: bool) -> (Stdio, Option<File>) {
    if !is_terminal {
        return (Stdio::piped(), None);
    }
    let (seen, written) = terminal::open();
    (written.into(), Some(seen))
}
