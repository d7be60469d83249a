//! Pages: failures of a run.

use super::Page;

pub(super) const PAGES: &[Page] = &[];
