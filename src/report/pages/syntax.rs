//! Pages: texts that cannot be read.

use super::Page;

pub(super) const PAGES: &[Page] = &[];
