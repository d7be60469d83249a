//! Pages: names, types, modules, merging.

use super::Page;

pub(super) const PAGES: &[Page] = &[];
