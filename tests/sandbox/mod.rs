//! Real sandboxes, really run, as root and as an unprivileged user.
//!
//! A test that needs root, or the user `nsl-tester` that `tests/run` makes, or something else that is not there,
//! says so on stderr and passes; with `NSL_REQUIRE_ALL=1` it fails instead.

#[macro_use]
pub mod stage;
mod leftovers;

mod acceptance;
mod attacks;
mod battery;
mod covers;
mod failures;
mod faults;
mod files;
mod filter;
mod hostile;
mod identity;
mod images;
mod inject;
mod joins;
mod keep;
mod labels;
mod landlock;
mod late;
mod library;
mod life;
mod limits;
mod links;
mod names;
mod namespaces;
mod network;
mod ns;
mod overlays;
mod pods;
mod process;
mod program;
mod propagation;
mod reports;
mod scope;
mod seen;
mod special;
mod stdio;
mod sysctls;
mod terminal;
mod uplink;

use stage::{Outcome, Stage, Who, skip};
