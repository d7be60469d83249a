//! Which of the declarations of a file are meant.

use super::Expanded;
use crate::report::Diagnostic;
use crate::schema::suggest::nearest;

/// There is nothing that could be run.
pub fn no_sandbox() -> Diagnostic {
    Diagnostic::error("no-sandbox", "this file declares no sandbox")
        .help("declare one: `sandbox NAME { run = [\"/bin/sh\"] … }`; a module of profiles is for `use` in other files")
}

/// All of a file, or the ones with this name: a sandbox, a pod with its containers, or one container of a pod as
/// `POD.CONTAINER`, which comes with the pod that it stands in.
pub fn pick<'e>(all: &'e [Expanded], name: Option<&str>) -> Result<Vec<&'e Expanded>, Diagnostic> {
    if all.is_empty() {
        return Err(no_sandbox());
    }
    let Some(name) = name else { return Ok(all.iter().collect()) };
    let named = names(all);
    let found: Vec<&Expanded> = all
        .iter()
        .zip(&named)
        .filter(|(one, full)| {
            let in_pod = full.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
            let around =
                one.kind == "pod" && name.strip_prefix(full.as_str()).is_some_and(|rest| rest.starts_with('.'));
            *full == name || in_pod || around
        })
        .map(|(one, _)| one)
        .collect();
    // A pod around a container that does not exist is not what was asked for.
    if named.iter().any(|full| full == name) {
        return Ok(found);
    }
    let near = nearest(name, named.iter().map(String::as_str));
    let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
    let all: Vec<String> = named.iter().map(|it| format!("`{it}`")).collect();
    Err(Diagnostic::error("unknown-sandbox", format!("this file declares no sandbox `{name}`"))
        .help(format!("{near}it declares {}", all.join(", "))))
}

/// The full name of each: a container's is that of its pod, a dot, and its own.
pub(in crate::resolve) fn names(all: &[Expanded]) -> Vec<String> {
    let mut pod = "";
    all.iter()
        .map(|one| match one.kind {
            "container" => format!("{pod}.{}", one.name),
            kind => {
                pod = if kind == "pod" { &one.name } else { "" };
                one.name.clone()
            }
        })
        .collect()
}
