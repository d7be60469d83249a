//! Plans as data, for hosts that are written down.
