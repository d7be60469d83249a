//! What the child tells the supervisor on the way to the program, and how it travels: frames on a pipe.
//!
//! The end of the pipe is execve(2), which closes it, or the end of the child.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::time::Duration;

use super::failure::{Failure, Notice};
use crate::plan::NsKind;

/// One thing that the child says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// A step failed.
    Failed(Notice),
    /// Nothing is left to do but to install the filter, which may refuse a last word, and to execute the program.
    Complete,
    /// A step was performed, and took this long.
    Performed {
        /// Its index in the plan.
        step: usize,
        /// How long it took.
        took: Duration,
    },
    /// The inode number of a namespace that the program will be in: the number in `readlink /proc/PID/ns/KIND`.
    Namespace(NsKind, u64),
}

/// The longest detail that is sent; a frame stays below PIPE_BUF, so it arrives whole or not at all.
const MAX_DETAIL: usize = 3000;
/// How often a frame is tried: a supervisor that misses one would take the program for dead.
const ATTEMPTS: u32 = 3;
/// Kind, index, a number, a long number, the length of what follows.
const HEAD: usize = 24;

const FAILED: u32 = 0;
const SKIPPED: u32 = 1;
const COMPLETE: u32 = 2;
const PERFORMED: u32 = 3;
const NAMESPACE: u32 = 4;

impl Word {
    /// Writes one frame. Where that fails there is nobody left to tell.
    pub fn send(&self, pipe: &OwnedFd) {
        let (kind, index, number, long, detail): (u32, usize, i32, u64, &[u8]) = match self {
            Word::Failed(notice) => {
                let kind = if notice.fatal { FAILED } else { SKIPPED };
                (kind, notice.step, notice.failure.errno, 0, notice.failure.detail.as_bytes())
            }
            Word::Complete => (COMPLETE, 0, 0, 0, &[]),
            Word::Performed { step, took } => (PERFORMED, *step, 0, took.as_nanos() as u64, &[]),
            Word::Namespace(kind, inode) => {
                (NAMESPACE, NsKind::ALL.iter().position(|it| it == kind).unwrap_or_default(), 0, *inode, &[])
            }
        };
        let detail = &detail[..detail.len().min(MAX_DETAIL)];
        let mut frame = Vec::with_capacity(HEAD + detail.len());
        frame.extend(kind.to_ne_bytes());
        frame.extend((index as u32).to_ne_bytes());
        frame.extend(number.to_ne_bytes());
        frame.extend(long.to_ne_bytes());
        frame.extend((detail.len() as u32).to_ne_bytes());
        frame.extend(detail);
        for _ in 0..ATTEMPTS {
            if rustix::io::write(pipe, &frame).is_ok() {
                return;
            }
        }
    }

    /// Takes the whole frames from the front of what was read from the pipe.
    pub fn take(bytes: &mut Vec<u8>) -> Vec<Word> {
        let mut words = Vec::new();
        let mut taken = 0;
        while let Some((head, tail)) = bytes[taken..].split_first_chunk::<HEAD>() {
            let word = |at: usize| u32::from_ne_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
            let length = word(20) as usize;
            let Some(detail) = tail.get(..length) else { break };
            let mut long = [0; 8];
            long.copy_from_slice(&head[12..20]);
            words.extend(read(word(0), word(4) as usize, word(8) as i32, u64::from_ne_bytes(long), detail));
            taken += HEAD + length;
        }
        bytes.drain(..taken);
        words
    }

    /// Why a process has failed that has ended, or is about to: what its pipe holds up to its end. The last word of failure is the best
    /// informed one.
    pub fn failure(mut pipe: File) -> Option<Notice> {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        Word::take(&mut bytes).into_iter().rev().find_map(|word| match word {
            Word::Failed(notice) if notice.fatal => Some(notice),
            _ => None,
        })
    }
}

fn read(kind: u32, index: usize, number: i32, long: u64, detail: &[u8]) -> Option<Word> {
    match kind {
        FAILED | SKIPPED => {
            let failure = Failure { errno: number, detail: String::from_utf8_lossy(detail).into_owned() };
            Some(Word::Failed(Notice { step: index, failure, fatal: kind == FAILED }))
        }
        COMPLETE => Some(Word::Complete),
        PERFORMED => Some(Word::Performed { step: index, took: Duration::from_nanos(long) }),
        NAMESPACE => Some(Word::Namespace(*NsKind::ALL.get(index)?, long)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_travel_whole() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        let failed = |step, errno, detail: String, fatal| {
            Word::Failed(Notice { step, failure: Failure { errno, detail }, fatal })
        };
        let said = [
            failed(3, 1, "mount".into(), false),
            Word::Performed { step: 4, took: Duration::from_nanos(1234) },
            Word::Namespace(NsKind::Net, 4026531840),
            Word::Complete,
            failed(9, 0, "x".repeat(4000), true),
        ];
        said.iter().for_each(|it| it.send(&write));
        drop(write);
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::fs::File::from(read), &mut bytes).unwrap();
        let whole = bytes.clone();
        let heard = Word::take(&mut bytes);
        assert!(bytes.is_empty());
        assert_eq!(heard[..4], said[..4]);
        assert_eq!(heard[4], failed(9, 0, "x".repeat(MAX_DETAIL), true));
        // As they come, byte for byte.
        let mut so_far = Vec::new();
        let mut slowly = Vec::new();
        for byte in whole {
            so_far.push(byte);
            slowly.extend(Word::take(&mut so_far));
        }
        assert_eq!(slowly, heard);
    }
}
