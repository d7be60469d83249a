//! The texts that diagnostics point into: files, spans, lines.
//!
//! A [`Span`] is twelve bytes and `Copy`; only a [`Files`] table turns it into `path:line:col`, and only
//! when something is printed. The embedded standard library has [`FileId`]s like any other file.

mod disk;
mod folder;
mod replace;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use disk::{Disk, load_stdin};
pub use folder::{entries, find_policies};
pub use replace::replace;

/// The index of a file in a [`Files`] table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// A half-open range of bytes in one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The file the range is in.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end` of `file`.
    pub fn new(file: FileId, start: usize, end: usize) -> Span {
        Span { file, start: start as u32, end: end as u32 }
    }

    /// The smallest range that covers both. Both must be of one file; otherwise `self` is returned.
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether the range covers nothing.
    pub fn is_empty(self) -> bool {
        self.end == self.start
    }
}

/// A value of the source with the place where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Spanned<T> {
    /// What was written.
    pub node: T,
    /// Where it was written.
    pub span: Span,
}

/// One text with the name under which people know it.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// As it is shown: the path as given, `<stdin>`, or `std/service.nsl`.
    pub name: String,
    /// The whole text.
    pub text: Cow<'static, str>,
}

/// All texts that were read for one command.
#[derive(Clone, Debug, Default)]
pub struct Files {
    files: Vec<SourceFile>,
}

impl Files {
    /// An empty table.
    pub fn new() -> Files {
        Files::default()
    }

    /// Adds a text and returns its index.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Cow<'static, str>>) -> FileId {
        let id = FileId(self.files.len() as u32);
        self.files.push(SourceFile { name: name.into(), text: text.into() });
        id
    }

    /// The file with this index.
    pub fn get(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// The name of the file with this index.
    pub fn name(&self, id: FileId) -> &str {
        &self.get(id).name
    }

    /// The text of the file with this index.
    pub fn text(&self, id: FileId) -> &str {
        &self.get(id).text
    }

    /// The text that a span covers.
    pub fn slice(&self, span: Span) -> &str {
        self.text(span.file).get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Every file, in the order of their indices.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(i, file)| (FileId(i as u32), file))
    }

    /// Line and column of an offset, both from 1, the column in characters.
    pub fn line_col(&self, file: FileId, offset: u32) -> (usize, usize) {
        let text = self.text(file);
        let mut offset = (offset as usize).min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }

    /// `name:line:col` of the start of a span.
    pub fn place(&self, span: Span) -> String {
        let (line, col) = self.line_col(span.file, span.start);
        format!("{}:{line}:{col}", self.name(span.file))
    }

    /// `name:line` of the start of a span.
    pub fn line_place(&self, span: Span) -> String {
        format!("{}:{}", self.name(span.file), self.line_col(span.file, span.start).0)
    }
}

/// Why a text cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// There is no such file.
    Missing,
    /// It is a directory.
    Directory,
    /// It is a device, a FIFO or a socket: nothing that holds a policy.
    NotRegular,
    /// It is longer than [`MAX_SIZE`].
    TooLarge,
    /// It is not UTF-8; the offset of the first wrong byte.
    NotUtf8(usize),
    /// Anything else, in the kernel's words.
    Io(String),
}

/// The longest file that is read, bytes.
pub const MAX_SIZE: u64 = 4 << 20;

/// Where texts come from: the disk, or memory in tests and editors.
pub trait Loader {
    /// The text of a file.
    fn load(&self, path: &std::path::Path) -> Result<String, LoadError>;
}
