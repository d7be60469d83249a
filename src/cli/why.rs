//! `nsl why`

use std::fmt::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use nsl::execute::{self, Answer, Call};
use nsl::plan::why::{Case, Question, Standing, argument, arguments, why};
use nsl::plan::{By, SyscallAction, action_text, condition_list, filter_spec};
use nsl::policy::{Sandbox, Seccomp};
use nsl::report::Diagnostic;
use nsl::schema::suggest::nearest;
use nsl::schema::{constants, syscalls};
use nsl::source::{Disk, Files};

use super::policy::{Settings, refuse};
use super::terminal;

const AFTER_HELP: &str = "\
Examples:
  nsl why syscall ptrace web.nsl                       one sandbox in the file
  nsl why syscall socket family=AF_INET web.nsl        with an argument
  nsl why syscall clone flags='CLONE_NEWUSER|SIGCHLD' web.nsl
  nsl why syscall openat shop.nsl api                  one of several sandboxes
  nsl why syscall --abi i386 stat64 web.nsl            as a 32-bit program makes it
  nsl why syscall 435 web.nsl                          by number

Arguments have the names that conditions have, or arg0 to arg5. Where the answer depends on one that is not given, every case is
listed. The answer comes from the rules, and from a run of the compiled filter: should they differ, that is said.

Exit status: 0 where the call is made, 1 where it is refused, 3 where that depends on arguments that are not given, 2 where the policy
does not parse or check.";

/// Say why something is allowed or refused
#[derive(Args)]
pub struct Why {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Syscall(Syscall),
}

/// What the filter does with a system call, and which rule of the policy says so
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
struct Syscall {
    /// The call, by name or number.
    #[arg(value_name = "CALL")]
    call: String,
    /// Arguments of the call as NAME=VALUE, then the policy and, where it declares several, the sandbox.
    #[arg(value_name = "[NAME=VALUE]... FILE [SANDBOX]", required = true, num_args = 1.., value_hint = ValueHint::FilePath)]
    rest: Vec<String>,
    /// The ABI that it is made in: the machine's own, or `i386`.
    #[arg(long, value_name = "ABI")]
    abi: Option<String>,
    #[command(flatten)]
    settings: Settings,
}

/// The status where the answer depends on what is not known.
const DEPENDS: i32 = 3;

pub fn main(args: &Why) -> i32 {
    let What::Syscall(asked) = &args.what;
    let mut files = Files::new();
    match answer(asked, &mut files) {
        Ok((text, status)) => match terminal::print(&text) {
            0 => status,
            failed => failed,
        },
        Err(findings) => refuse(&files, &findings),
    }
}

fn usage(message: String, help: &str) -> Vec<Diagnostic> {
    vec![Diagnostic::error("usage", message).help(help)]
}

/// The answer as text, and the exit status.
fn answer(asked: &Syscall, files: &mut Files) -> Result<(String, i32), Vec<Diagnostic>> {
    let is_value = |it: &&String| it.split_once('=').is_some_and(|(name, _)| !name.is_empty() && !name.contains('/'));
    let values: Vec<&String> = asked.rest.iter().take_while(is_value).collect();
    let (file, name) = match &asked.rest[values.len()..] {
        [file] => (PathBuf::from(file), None),
        [file, name] => (PathBuf::from(file), Some(name.as_str())),
        [] => return Err(usage("no policy is named".into(), "put the file behind the call and its arguments")),
        _ => return Err(usage("too many words".into(), "write `nsl why syscall CALL NAME=VALUE… FILE SANDBOX`")),
    };
    let facts = nsl::host::probe();
    let arch = facts.kernel.arch.as_str();
    let abi = asked.abi.as_deref().unwrap_or(arch);
    if syscalls::table(abi).is_empty() {
        return Err(usage(format!("no filter knows the ABI `{abi}`"), "write `--abi x86_64`, `aarch64` or `i386`"));
    }
    let question = question(&asked.call, &values, abi)?;
    let inputs = asked.settings.inputs(&facts).map_err(|error| vec![error])?;
    let loaded = nsl::load(&file, &inputs, &Disk);
    *files = loaded.files.clone();
    let mut findings = nsl::findings(&loaded);
    findings.retain(Diagnostic::is_error);
    if !findings.is_empty() {
        return Err(findings);
    }
    let sandbox = nsl::select_sandbox(&loaded, name).map_err(|error| vec![error])?;
    Ok(tell(sandbox, &question, if asked.abi.is_some() && abi != "i386" { abi } else { arch }, files))
}

/// The call by name or number, its arguments by name.
fn question(call: &str, values: &[&String], abi: &str) -> Result<Question, Vec<Diagnostic>> {
    let number = match number(call) {
        Some(number) => u32::try_from(number).ok(),
        None => syscalls::number(abi, call),
    };
    let Some(number) = number else {
        let finding = Diagnostic::error("seccomp-unknown", format!("there is no system call `{call}` on {abi}"));
        let names = syscalls::table(abi).iter().map(|(name, _)| *name);
        return Err(vec![match nearest(call, names) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("syscalls(2) lists the calls; a number will do too"),
        }]);
    };
    let name = syscalls::name(abi, number).unwrap_or(call);
    let mut question = Question { abi: abi.to_string(), number, arguments: [None; 6] };
    for given in values {
        let (argument_name, text) = given.split_once('=').unwrap_or((given, ""));
        let Some(index) = argument(abi, name, argument_name) else {
            let known: Vec<&str> = arguments(abi, name).iter().map(|it| it.name).collect();
            let finding = Diagnostic::error(
                "unknown-syscall-argument",
                format!("`{name}` has no argument `{argument_name}` that a filter can look at"),
            );
            return Err(vec![match known.as_slice() {
                [] => finding.help("its arguments have no names here: write arg0 to arg5"),
                known => finding.help(format!("its arguments are {}; or write arg0 to arg5", known.join(", "))),
            }]);
        };
        question.arguments[index] = Some(value(text)?);
    }
    Ok(question)
}

fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.get(..2) {
        Some("0x") => (&text[2..], 16),
        Some("0o") => (&text[2..], 8),
        _ => (text, 10),
    };
    match digits.strip_prefix('-') {
        Some(digits) => Some((i64::from_str_radix(digits, radix).ok()?).wrapping_neg() as u64),
        None => u64::from_str_radix(digits, radix).ok(),
    }
}

/// `2`, `AF_INET`, `CLONE_NEWUSER|SIGCHLD`
fn value(text: &str) -> Result<u64, Vec<Diagnostic>> {
    let mut value = 0;
    for word in text.split('|').map(str::trim) {
        let Some(found) = number(word).or_else(|| constants::constant(word)) else {
            let finding = Diagnostic::error("unknown-constant", format!("there is no constant `{word}`"));
            return Err(vec![match nearest(word, constants::constant_names()) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding.help("write a number, or constants joined by `|`"),
            }]);
        };
        value |= found;
    }
    Ok(value)
}

fn tell(sandbox: &Sandbox, question: &Question, arch: &str, files: &Files) -> (String, i32) {
    let shown = shown(question);
    let Some(seccomp) = &sandbox.seccomp else {
        return (format!("{shown}: made; sandbox `{}` has no `seccomp`\n", sandbox.name.value), 0);
    };
    if !nsl::plan::abis(seccomp, arch).any(|it| it == question.abi) {
        let kills =
            format!("{shown}: kill\n  by   no `abi {0}` in `seccomp`: a call of another ABI kills\n", question.abi);
        return (kills, 1);
    }
    let cases = why(seccomp, question);
    let mut out = String::new();
    let deciding: Vec<&Case> =
        cases.iter().filter(|it| matches!(it.standing, Standing::Decides | Standing::Depends)).collect();
    let first = deciding.first().map(|it| it.action);
    let status = match first {
        Some(action) if deciding.iter().all(|it| permits(it.action) == permits(action)) => i32::from(!permits(action)),
        _ => DEPENDS,
    };
    match deciding.as_slice() {
        [only] => {
            let _ = writeln!(out, "{shown}: {}", action_text(only.action));
            let _ = writeln!(out, "  by   {}", source(only, seccomp, question, files));
        }
        several => {
            let _ = writeln!(out, "{shown}: that depends on arguments which are not given");
            for case in several {
                let when = match case.open.as_slice() {
                    [] => "otherwise".to_string(),
                    open => format!("where {}", condition_list("", open).trim_matches(['(', ')'])),
                };
                let _ = writeln!(out, "  {when}: {}", action_text(case.action));
                let _ = writeln!(out, "       by {}", source(case, seccomp, question, files));
            }
        }
    }
    for case in cases.iter().filter(|it| it.by.is_some()) {
        let reason = match case.standing {
            Standing::DoesNotHold => "its conditions do not hold",
            Standing::Beaten => "less specific, or less strict",
            _ => continue,
        };
        let _ = writeln!(out, "  not  {} ({reason})", source(case, seccomp, question, files));
    }
    out.push_str(&run(seccomp, question, arch, &deciding));
    (out, status)
}

fn permits(action: SyscallAction) -> bool {
    matches!(action, SyscallAction::Allow | SyscallAction::Log)
}

/// `socket(family = 2)`
fn shown(question: &Question) -> String {
    let name = syscalls::name(&question.abi, question.number);
    let name = name.map_or(format!("call {}", question.number), str::to_string);
    let known = arguments(&question.abi, &name);
    let values = question.arguments.iter().enumerate().filter_map(|(index, value)| {
        let value = (*value)?;
        let name =
            known.iter().find(|it| usize::from(it.index) == index).map_or(format!("arg{index}"), |it| it.name.into());
        Some(if value < 1024 { format!("{name} = {value}") } else { format!("{name} = {value:#x}") })
    });
    let values: Vec<String> = values.collect();
    if values.is_empty() { name } else { format!("{name}({})", values.join(", ")) }
}

/// Who says so, with the place.
fn source(case: &Case, seccomp: &Seccomp, question: &Question, files: &Files) -> String {
    match case.by {
        Some(By::Rule(index)) => {
            let rule = &seccomp.rules[index];
            let text = files.slice(rule.span()).trim().lines().next().unwrap_or_default().to_string();
            format!("{text}   {}", rule.origin.place(files))
        }
        Some(By::NoNamespaces) => {
            "a group lets no namespaces be made where `unshare` is not allowed; the flags of clone3 cannot be seen"
                .to_string()
        }
        Some(By::NoTerminalInput) => "a group lets nobody type into a terminal (TIOCSTI, TIOCLINUX)".to_string(),
        Some(By::BackToClone) => "no rule names it, and ENOSYS sends libc back to clone".to_string(),
        Some(By::Multiplexed) => {
            "it stands for many calls, and gets what all of them get; ENOSYS where they get different answers"
                .to_string()
        }
        Some(By::HiddenArgument) => {
            "a rule asks for an argument that cannot be seen in this ABI, so the call does not exist".to_string()
        }
        None => {
            let last = syscalls::last(&question.abi).unwrap_or(0);
            match () {
                () if question.number > last => {
                    format!("a call newer than number {last} does not exist, so that libc falls back")
                }
                () if seccomp.otherwise.is_implied() => {
                    "nobody names it: `otherwise` is errno(EPERM) where it is not stated".to_string()
                }
                () => format!(
                    "otherwise = {}   {}",
                    action_text(seccomp.otherwise.value),
                    seccomp.otherwise.origin.place(files)
                ),
            }
        }
    }
}

/// Runs the compiled filter, and says what it took, or that it says something else.
fn run(seccomp: &Seccomp, question: &Question, arch: &str, deciding: &[&Case]) -> String {
    let program = match execute::compile(&filter_spec(seccomp, arch)) {
        Ok(program) => program,
        Err(error) => return format!("  the filter cannot be compiled: {error}\n"),
    };
    let Ok(abi) = execute::audit_arch(&question.abi) else { return String::new() };
    let arguments = question.arguments.map(|it| it.unwrap_or(0));
    let call = Call { arch: abi, number: question.number, arguments };
    let complete = Question { arguments: arguments.map(Some), ..question.clone() };
    let expected = match deciding {
        [only] => Some(only.action),
        _ => why(seccomp, &complete).iter().find(|it| it.standing == Standing::Decides).map(|it| it.action),
    };
    match execute::run_filter(&program, call) {
        Some(Answer { action, steps, saw_arguments }) if Some(action) == expected => {
            let how = match (saw_arguments, action) {
                (true, _) => "it looks at arguments, so it runs for each call",
                (false, SyscallAction::Allow) => "the kernel notes that in its bitmap and does not run it again",
                (false, _) => "whatever the arguments are",
            };
            format!("  the compiled filter agrees after {steps} of its {} instructions: {how}\n", program.len())
        }
        other => {
            let says = other.map_or("nothing".to_string(), |it| action_text(it.action));
            format!("  the compiled filter says {says} instead: please report this, it is a fault of nsl\n")
        }
    }
}
