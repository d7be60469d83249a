//! Zstandard (RFC 8878): as many frames as there are, with those that say to be skipped left out.
//!
//! The crate decodes one frame. Layers have several where they were compressed in parallel or so that parts can be fetched alone
//! (zstd:chunked), and the latter end in frames to be skipped.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// What a frame begins with.
pub const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();

/// The content of a stream of frames.
pub struct Frames<R> {
    stream: R,
    decoder: FrameDecoder,
    /// A frame was begun, and not all of it was taken yet.
    within: bool,
}

impl<R: BufRead> Frames<R> {
    pub fn new(stream: R) -> Frames<R> {
        Frames { stream, decoder: FrameDecoder::new(), within: false }
    }

    /// Begins the next frame with content; false at the end of the stream.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.stream.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.stream) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut self.stream.by_ref().take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error.to_string())),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            if self.within {
                while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                    let decoded = self.decoder.decode_blocks(&mut self.stream, BlockDecodingStrategy::UptoBlocks(1));
                    decoded.map_err(|error| io::Error::other(error.to_string()))?;
                }
                let count = self.decoder.read(buffer)?;
                if count > 0 {
                    return Ok(count);
                }
            }
            self.within = self.begin()?;
            if !self.within {
                break;
            }
        }
        Ok(0)
    }
}
