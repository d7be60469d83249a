//! Images: a file system in a file (squashfs, erofs), or layers of archives (an OCI image layout, what `docker save` writes).
//!
//! The supervisor opens an image with the caller's rights, reads its descriptions and checks their digests; a file system is mounted
//! then and there, which takes root. Layers are unpacked by the child into a tmpfs of the sandbox's own, and are gone with it: nsl
//! keeps no copies on the host.

mod describe;
mod disk;
mod unpack;
mod zstd;

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use rustix::fs::{Mode, OFlags};

use super::failure::{Context, Done, Failure};

pub use unpack::unpack;

/// An image that was opened.
pub enum Image {
    /// A read-only mount, attached nowhere yet.
    Disk(OwnedFd),
    /// Layers, the lowest first.
    Layers(Vec<Layer>),
}

/// One layer.
pub struct Layer {
    /// The archive, compressed or not.
    pub archive: Section,
    /// The SHA-256 of the archive, where something names it.
    pub digest: Option<String>,
    /// The SHA-256 of the archive without its compression.
    pub content: String,
}

/// A part of a file.
#[derive(Clone)]
pub struct Section {
    file: Rc<File>,
    at: u64,
    end: u64,
}

impl Section {
    fn whole(file: File) -> Done<Section> {
        let end = file.metadata().context(|| "looking at a file of the image".to_string())?.len();
        Ok(Section { file: Rc::new(file), at: 0, end })
    }

    fn len(&self) -> u64 {
        self.end - self.at
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = usize::try_from(self.len()).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.file.read_at(&mut buffer[..most], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// Opens an image, and makes sure that it is the one with this digest.
pub fn open(path: &str, digest: Option<&str>) -> Done<Image> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).context(|| format!("opening {path}"))?;
    let kind =
        rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&file).context(|| format!("looking at {path}"))?.st_mode);
    if kind.is_dir() {
        return describe::of_directory(file, digest).map(Image::Layers);
    }
    if !kind.is_file() {
        return Err(Failure::refused(format!("{path} is neither a file nor a directory")));
    }
    let file = File::from(file);
    let bytes = |at: u64, count: usize| {
        let mut found = vec![0; count];
        file.read_exact_at(&mut found, at).map(|()| found).unwrap_or_default()
    };
    let kind = match () {
        () if bytes(0, 4) == b"hsqs" => "squashfs",
        () if bytes(1024, 4) == 0xe0f5_e1e2_u32.to_le_bytes() => "erofs",
        () if bytes(257, 5) == b"ustar" => {
            return describe::of_archive(Section::whole(file)?, digest).map(Image::Layers);
        }
        () if bytes(0, 2) == [0x1f, 0x8b] => {
            return Err(Failure::refused(format!("{path} is compressed as a whole: `gunzip` it first")));
        }
        () => {
            return Err(Failure::refused(format!("{path} is neither squashfs, nor erofs, nor an archive of an image")));
        }
    };
    if let Some(digest) = digest {
        describe::verify(Section::whole(file.try_clone().context(|| format!("opening {path}"))?)?, digest)?;
    }
    disk::mount(file.as_fd(), kind).map(Image::Disk)
}
