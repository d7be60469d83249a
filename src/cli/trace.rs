//! `nsl run --verbose`: the steps of `nsl plan`, as they are performed.

use std::time::Duration;

use nsl::execute::Report;
use nsl::plan::{self, Plan};
use nsl::source::Files;

use super::terminal;

/// Columns for what a step does; a longer one pushes its time to the right.
const WIDTH: usize = 60;

/// Tells of a run, a line a step, on the standard error.
pub struct Trace<'a> {
    plan: &'a Plan,
    files: &'a Files,
    /// Steps that were told; the last ones are nobody's to tell, as the filter is in force.
    told: usize,
}

impl<'a> Trace<'a> {
    /// Nothing was performed yet.
    pub fn new(plan: &'a Plan, files: &'a Files) -> Trace<'a> {
        Trace { plan, files, told: 0 }
    }

    /// Whether it tells of this plan.
    pub fn is_of(&self, plan: &Plan) -> bool {
        std::ptr::eq(self.plan, plan)
    }

    /// A step was performed.
    pub fn step(&mut self, index: usize, took: Duration) {
        self.told = self.told.max(index + 1);
        self.line(index, &millis(took));
    }

    /// It runs, which is said in these words.
    pub fn started(&mut self, what: &str) {
        for index in self.told..self.plan.steps.len() {
            self.line(index, "done");
        }
        terminal::say(&format!("nsl: {what}\n"));
    }

    /// All is over.
    pub fn ended(&self, report: &Report) {
        let times = &report.times;
        let stages = [
            ("prepared", times.prepare),
            ("launched", times.launch),
            ("built", times.build),
            ("ran", times.run),
            ("cleaned up", Some(times.clean)),
        ];
        let told: Vec<String> = stages
            .iter()
            .filter_map(|(what, took)| took.map(|took| format!("{what} in {}", millis(took).trim_start())))
            .collect();
        terminal::say(&format!("nsl: {}\n", told.join(", ")));
        for kept in &report.kept {
            let (kind, id, path) = (kept.kind.name(), kept.id, &kept.path);
            terminal::say(&format!("nsl: {path} keeps {kind} {id}; `nsl ns release {path}` lets it go\n"));
        }
    }

    fn line(&self, index: usize, took: &str) {
        let Some(step) = self.plan.steps.get(index) else { return };
        let (what, place) = (plan::describe(&step.action), self.files.line_place(step.span));
        terminal::say(&format!("nsl: {:>3}  {what:WIDTH$}  {took:>11}  {place}\n", index + 1));
    }
}

fn millis(took: Duration) -> String {
    format!("{:.3} ms", took.as_secs_f64() * 1e3)
}
