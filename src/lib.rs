//! NSL: sandboxes as code.
//!
//! A policy goes one way: text -> [`syntax`] -> [`resolve`] -> [`policy`] -> [`check`] -> [`plan`] -> [`execute`].
//! Each arrow is one pure function but the last. [`source`] and [`report`] carry places and findings,
//! [`schema`] is the one table of what can be written, [`host`] says what the machine offers.
#![deny(unsafe_code)]

pub mod check;
pub mod execute;
pub mod host;
pub mod plan;
pub mod policy;
pub mod report;
pub mod resolve;
pub mod schema;
pub mod source;
pub mod syntax;
