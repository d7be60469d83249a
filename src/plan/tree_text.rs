//! Mounts in the words of a plan.

use super::print::quoted;
use super::{MountStep, OverlayStep, UpperStep};
use crate::policy::{Access, MountFlags};

pub(super) fn mount(source: &MountStep) -> String {
    match source {
        MountStep::Volume { id, access, flags } => format!("source {id}, {}{}", word(*access), flag_words(*flags)),
        MountStep::Bind { id, access, flags, propagation } => {
            let later = if propagation.is_private() { String::new() } else { format!(" {}", propagation.name()) };
            format!("source {id}, {}{}{later}", word(*access), flag_words(*flags))
        }
        MountStep::Tmpfs { size, inodes, mode, flags } => {
            format!("tmpfs size={size} nr_inodes={inodes} mode={mode:04o}{}", flag_words(*flags))
        }
        MountStep::Overlay(step) => overlay(step),
        MountStep::Device { id } => format!("source {id}, if it is a device node, nosuid noexec"),
        MountStep::Secret { id } => format!("secret of source {id}, in a ramfs, mode 0400, ro nosuid nodev noexec"),
        MountStep::Proc(options) => {
            let subset = if options.only_pids { " subset=pid" } else { "" };
            let hidepid = options.hidepid.as_ref().map_or(String::new(), |it| format!(" hidepid={it}"));
            format!("proc{subset}{hidepid}")
        }
        MountStep::Dev { mqueue } => {
            if *mqueue {
                "dev, with mqueue".to_string()
            } else {
                "dev".to_string()
            }
        }
        MountStep::Sys => "sysfs, ro".to_string(),
        MountStep::Mqueue => "mqueue".to_string(),
        MountStep::Devpts => "devpts".to_string(),
        MountStep::Cgroup => "cgroup, ro".to_string(),
        MountStep::File { text } => format!("file of {} bytes, ro", text.len()),
    }
}

pub(super) fn overlay(overlay: &OverlayStep) -> String {
    let lower: Vec<String> = overlay.lower.iter().map(u32::to_string).collect();
    let upper = match &overlay.upper {
        UpperStep::None => "ro".to_string(),
        UpperStep::Tmpfs { size, inodes } => format!("changes in a tmpfs size={size} nr_inodes={inodes}"),
        UpperStep::Dir { id, upper, work } => {
            format!("changes in {} of source {id}, work in {}", quoted(upper), quoted(work))
        }
    };
    let userxattr = if overlay.userxattr { ", userxattr" } else { "" };
    format!("overlay of source {}, {upper}{userxattr}{}", lower.join(" "), flag_words(overlay.flags))
}

pub(super) fn word(access: Access) -> &'static str {
    match access {
        Access::Ro => "ro",
        Access::Rw => "rw",
    }
}

pub(super) fn flag_words(flags: MountFlags) -> String {
    let names = [
        (flags.nosuid, " nosuid"),
        (flags.nodev, " nodev"),
        (flags.noexec, " noexec"),
        (flags.nosymfollow, " nosymfollow"),
    ];
    names.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect()
}
