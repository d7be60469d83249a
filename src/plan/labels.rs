//! The label of a security module, asked for before anything that could be in the way of asking.

use super::build::Builder;
use super::{Action, Stage};
use crate::policy::SecurityModule;

pub(super) fn build(builder: &mut Builder) {
    let labels = &builder.sandbox.labels;
    for (module, label) in [(SecurityModule::Apparmor, &labels.apparmor), (SecurityModule::Selinux, &labels.selinux)] {
        if let Some(label) = label {
            builder.step_of(Stage::Program, Action::SetLabel { module, label: label.value.clone() }, label);
        }
    }
}
