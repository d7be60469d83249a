//! The command `nsl`.
#![deny(unsafe_code)]

mod cli;

fn main() {
    std::process::exit(cli::main(std::env::args_os()))
}
