//! Arguments and variables, which need not be text.

use std::ffi::OsString;

use serde::{Deserialize, Serialize};

/// A string of bytes that the kernel takes as it is; JSON shows text where it is text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Bytes {
    /// UTF-8.
    Text(String),
    /// Anything else.
    Raw(Vec<u8>),
}

impl Bytes {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Bytes::Text(text) => text.as_bytes(),
            Bytes::Raw(bytes) => bytes,
        }
    }
}

impl From<OsString> for Bytes {
    fn from(value: OsString) -> Bytes {
        use std::os::unix::ffi::OsStringExt;
        match String::from_utf8(value.into_vec()) {
            Ok(text) => Bytes::Text(text),
            Err(error) => Bytes::Raw(error.into_bytes()),
        }
    }
}

impl From<&str> for Bytes {
    fn from(value: &str) -> Bytes {
        Bytes::Text(value.to_string())
    }
}
