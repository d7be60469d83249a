//! Pages: findings over one policy, from the file alone.

use super::Page;

pub(super) const PAGES: &[Page] = &[];
