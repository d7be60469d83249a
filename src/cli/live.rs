//! `nsl top`, which is `nsl ps --watch` too: the list again and again, on a screen of its own where there is a terminal.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use clap::Args;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nsl::inspect::{self, Row};
use nsl::state::{self, Phase, Room};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use super::{runs, terminal};

const AFTER_HELP: &str = "\
Examples:
  nsl top                    what runs, by CPU
  nsl top --every 5          every five seconds
  nsl top | head -20         without a terminal: one list after the other

Keys: `c` by CPU, `m` by memory, `p` by processes, `n` by name; `q` ends it.

Exit status: 0, or 2 where there is no place to look.";

/// Show what runs and what it uses, live
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Top {
    /// Seconds between two looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: u64,
}

impl Top {
    pub fn every_second() -> Top {
        Top { every: 1 }
    }
}

/// What is at the top.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    Cpu,
    Memory,
    Pids,
    Name,
}

pub fn main(args: &Top) -> i32 {
    let room = match runs::room() {
        Ok(room) => room,
        Err(finding) => return runs::refuse(finding),
    };
    let every = Duration::from_secs(args.every);
    match Screen::take() {
        Some(screen) => on_screen(&screen, &room, every),
        None => in_a_pipe(&room, every),
    }
}

fn look(room: &Room) -> Vec<Row> {
    let mut entries = state::list(room);
    entries.retain(|entry| !matches!(entry.phase, Phase::Ended(_)));
    inspect::rows(&entries, true)
}

/// One list after the other, until nobody reads them.
fn in_a_pipe(room: &Room, every: Duration) -> i32 {
    let (mut before, mut at) = (look(room), Instant::now());
    loop {
        std::thread::sleep(every);
        let rows = look(room);
        let text = list(&before, &rows, at.elapsed(), Order::Cpu, usize::MAX, usize::MAX);
        (before, at) = (rows, Instant::now());
        let mut out = std::io::stdout().lock();
        if out.write_all((text + "\n").as_bytes()).and_then(|()| out.flush()).is_err() {
            return 0;
        }
    }
}

fn on_screen(screen: &Screen, room: &Room, every: Duration) -> i32 {
    let (mut before, mut at) = (Vec::new(), Instant::now());
    let (mut rows, mut elapsed) = (look(room), every);
    let mut order = Order::Cpu;
    loop {
        let (width, height) = screen.size();
        let text = list(&before, &rows, elapsed, order, width, height.saturating_sub(1));
        // A window of a few lines shows the first of them.
        let text: String = text.lines().take(height.saturating_sub(1)).map(|line| format!("{line}\n")).collect();
        let keys = fit("c cpu  m memory  p processes  n name  q quit", width);
        let (mark, plain) = if terminal::stdout_style().color { ("\x1b[7m", "\x1b[0m") } else { ("", "") };
        screen.show(&format!("{text}{mark}{keys:width$}{plain}"));
        let next = at + every;
        match screen.next(next.saturating_duration_since(Instant::now())) {
            Event::Key(b'q' | b'Q' | 3 | 4) => return 0,
            Event::Key(b'c') => order = Order::Cpu,
            Event::Key(b'm') => order = Order::Memory,
            Event::Key(b'p') => order = Order::Pids,
            Event::Key(b'n') => order = Order::Name,
            Event::Key(_) | Event::Redraw => {}
            Event::Ended(signal) => return 128 + signal,
            Event::Time => {
                let now = look(room);
                elapsed = at.elapsed();
                at = Instant::now();
                before = std::mem::replace(&mut rows, now);
            }
        }
    }
}

fn fit(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}

/// The list, as many lines as there is room for.
fn list(before: &[Row], rows: &[Row], elapsed: Duration, order: Order, width: usize, height: usize) -> String {
    let mut shown: Vec<(Option<f64>, &Row)> =
        rows.iter().map(|row| (inspect::cpu_share(before, row, elapsed), row)).collect();
    let usage = |row: &Row| row.usage.unwrap_or_default();
    // A stable sort: the rows come by name.
    match order {
        Order::Cpu => shown.sort_by(|a, b| b.0.unwrap_or(0.0).total_cmp(&a.0.unwrap_or(0.0))),
        Order::Memory => shown.sort_by_key(|(_, row)| std::cmp::Reverse(usage(row).memory)),
        Order::Pids => shown.sort_by_key(|(_, row)| std::cmp::Reverse(usage(row).pids)),
        Order::Name => {}
    }
    let cells: Vec<Vec<String>> = shown
        .iter()
        .take(height.saturating_sub(2))
        .map(|(share, row)| {
            let used = row.usage;
            vec![
                row.name.clone(),
                row.status.to_string(),
                row.seconds.map_or("-".to_string(), inspect::duration),
                share.map_or("-".to_string(), |it| format!("{it:.1}%")),
                used.map_or("-".to_string(), |it| inspect::size(it.memory)),
                used.map_or("-".to_string(), |it| it.pids.to_string()),
                row.record.as_ref().map_or(String::new(), |it| it.command.join(" ")),
            ]
        })
        .collect();
    let memory: u64 = rows.iter().map(|row| usage(row).memory).sum();
    let pids: u64 = rows.iter().map(|row| usage(row).pids).sum();
    let head = format!("{} running, {} in memory, {pids} processes", rows.len(), inspect::size(memory));
    let heads = ["NAME", "STATUS", "SINCE", "CPU", "MEMORY", "PIDS", "COMMAND"];
    format!("{}\n{}", fit(&head, width), inspect::table(&heads, &cells, width))
}

/// A terminal that shows keys at once and has given its screen; when it is dropped it is as before.
struct Screen {
    before: Termios,
    raw: Termios,
    signals: SignalFd,
}

/// What happens while one waits for the next look.
enum Event {
    Key(u8),
    /// The window has another size, or the terminal was somebody else's meanwhile.
    Redraw,
    /// It is asked to end.
    Ended(i32),
    Time,
}

/// Signals that end a program which does nothing about them.
const ENDING: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

impl Screen {
    fn take() -> Option<Screen> {
        let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
        let dumb = std::env::var_os("TERM").is_some_and(|it| it == "dumb");
        if !stdin.is_terminal() || !stdout.is_terminal() || dumb {
            return None;
        }
        // Whoever ends this gets the terminal as it was, and a window that changes is drawn anew at once.
        let mut wanted = SigSet::empty();
        ENDING.into_iter().chain([Signal::SIGWINCH, Signal::SIGCONT]).for_each(|it| wanted.add(it));
        wanted.thread_block().ok()?;
        let signals = SignalFd::with_flags(&wanted, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK).ok()?;
        let before = tcgetattr(&stdin).ok()?;
        let mut raw = before.clone();
        // Ctrl-C comes as a key, so that the screen is given back.
        raw.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
        tcsetattr(&stdin, OptionalActions::Flush, &raw).ok()?;
        let screen = Screen { before, raw, signals };
        // The alternate screen, and no cursor: xterm's control sequences, which tmux and the Linux console know.
        terminal::print("\x1b[?1049h\x1b[?25l");
        Some(screen)
    }

    fn size(&self) -> (usize, usize) {
        let size = tcgetwinsize(std::io::stdout()).map_or((0, 0), |it| (it.ws_col.into(), it.ws_row.into()));
        match size {
            (0, _) | (_, 0) => (80, 24),
            size => size,
        }
    }

    fn show(&self, text: &str) {
        // From the top left, each line cleared behind its end, and everything below the last.
        terminal::print(&format!("\x1b[H{}\x1b[J", text.replace('\n', "\x1b[K\r\n")));
    }

    /// What happens next, within this time.
    fn next(&self, within: Duration) -> Event {
        let stdin = std::io::stdin();
        let mut polled = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&self.signals, PollFlags::IN)];
        let timeout =
            rustix::event::Timespec { tv_sec: within.as_secs() as i64, tv_nsec: i64::from(within.subsec_nanos()) };
        match poll(&mut polled, Some(&timeout)) {
            Ok(0) => return Event::Time,
            Err(_) => return Event::Redraw,
            Ok(_) => {}
        }
        if let Ok(Some(info)) = self.signals.read_signal() {
            let number = info.ssi_signo as i32;
            if ENDING.into_iter().any(|it| it as i32 == number) {
                return Event::Ended(number);
            }
            if number == Signal::SIGCONT as i32 {
                // Whoever had the terminal meanwhile may have set it otherwise.
                let _ = tcsetattr(&stdin, OptionalActions::Flush, &self.raw);
                terminal::print("\x1b[?1049h\x1b[?25l");
            }
            return Event::Redraw;
        }
        if polled[0].revents().is_empty() {
            return Event::Redraw;
        }
        let mut byte = [0];
        // Nobody types any more at the end of the input.
        Event::Key(if rustix::io::read(&stdin, &mut byte) == Ok(1) { byte[0] } else { b'q' })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        terminal::print("\x1b[?25h\x1b[?1049l");
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.before);
    }
}
