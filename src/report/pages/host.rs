//! Pages: findings that need to know the host.

use super::Page;

pub(super) const PAGES: &[Page] = &[];
