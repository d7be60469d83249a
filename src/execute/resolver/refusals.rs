//! Names that the resolver has refused, for the report: counted in memory that it shares with the supervisor, so that whatever ends the
//! resolver loses nothing. What the program can make it hold is bounded.

use std::fs::File;
use std::os::unix::fs::FileExt;

use rustix::fs::MemfdFlags;

use crate::execute::failure::{Context, Done};

/// Names that are told; of the others only how often they were asked for.
const MOST: usize = 64;
/// How often somebody was refused, and how often for a name that is not told.
const HEAD: usize = 16;
/// How often, why, and the name with its length before it.
const SLOT: usize = 8 + 1 + 1 + LONGEST;
/// The longest name: RFC 1035.
const LONGEST: usize = 254;

/// Why a name was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyRefused {
    /// No rule names it; nobody outside was asked.
    NotNamed,
    /// It leads to addresses alone that are not of the internet, and not in `private`.
    NotPublic,
}

/// A name that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedName {
    /// The name, lower case, without a final point.
    pub name: String,
    /// Why.
    pub why: WhyRefused,
    /// How often it was asked for.
    pub questions: u64,
}

/// What was refused in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefusedNames {
    /// How many questions, in all.
    pub questions: u64,
    /// The first names, in the order in which they were asked for.
    pub names: Vec<RefusedName>,
    /// How many of the questions were for other names.
    pub others: u64,
}

/// Memory for it.
pub fn memory() -> Done<File> {
    let made = rustix::fs::memfd_create("nsl-refused", MemfdFlags::CLOEXEC);
    made.map(File::from).context(|| "making memory for refused names".to_string())
}

/// The resolver's side.
pub struct Refusals {
    memory: File,
    told: RefusedNames,
    /// Domains with which programs complete names.
    search: Vec<String>,
}

impl Refusals {
    /// Nothing was refused yet.
    pub fn new(memory: File, search: &[String]) -> Refusals {
        let search = search.iter().map(|it| it.trim_end_matches('.').to_string()).filter(|it| !it.is_empty());
        Refusals { memory, told: RefusedNames::default(), search: search.collect() }
    }

    /// Whether a name is another one, which `known` knows, completed by the program's library.
    pub fn is_completed(&self, name: &str, known: impl Fn(&str) -> bool) -> bool {
        let short = |domain: &String| name.strip_suffix(domain.as_str())?.strip_suffix('.');
        self.search.iter().filter_map(short).any(known)
    }

    /// Somebody was refused. An empty name is one that no rule can name.
    pub fn note(&mut self, name: &str, why: WhyRefused) {
        self.told.questions += 1;
        let known = self.told.names.iter().position(|it| it.name == name && it.why == why);
        let is_new = known.is_none() && !name.is_empty() && name.len() <= LONGEST && self.told.names.len() < MOST;
        if is_new {
            self.told.names.push(RefusedName { name: name.to_string(), why, questions: 0 });
        }
        match known.or(is_new.then(|| self.told.names.len() - 1)) {
            Some(index) => {
                self.told.names[index].questions += 1;
                // A report that lacks one is better than a program without answers.
                let _ = self.memory.write_all_at(&slot(&self.told.names[index]), (HEAD + index * SLOT) as u64);
            }
            None => self.told.others += 1,
        }
        let head = [self.told.questions.to_ne_bytes(), self.told.others.to_ne_bytes()].concat();
        let _ = self.memory.write_all_at(&head, 0);
    }
}

fn slot(told: &RefusedName) -> Vec<u8> {
    let mut bytes = told.questions.to_ne_bytes().to_vec();
    bytes.push(u8::from(told.why == WhyRefused::NotPublic));
    bytes.push(told.name.len() as u8);
    bytes.extend(told.name.as_bytes());
    bytes.resize(SLOT, 0);
    bytes
}

/// What the resolver has noted; for the supervisor, when the resolver is gone.
pub fn read(memory: &File) -> RefusedNames {
    let mut bytes = vec![0; HEAD + MOST * SLOT];
    let mut length = 0;
    while let Ok(count @ 1..) = memory.read_at(&mut bytes[length..], length as u64) {
        length += count;
    }
    let number = |at: usize| bytes[at..].first_chunk::<8>().map_or(0, |it| u64::from_ne_bytes(*it));
    let name = |at: usize| {
        let questions = number(at);
        let name = &bytes[at + 10..at + 10 + usize::from(bytes[at + 9]).min(LONGEST)];
        let why = if bytes[at + 8] == 0 { WhyRefused::NotNamed } else { WhyRefused::NotPublic };
        (questions > 0).then(|| RefusedName { name: String::from_utf8_lossy(name).into_owned(), why, questions })
    };
    let names = (0..MOST).map(|it| HEAD + it * SLOT).filter_map(name).collect();
    RefusedNames { questions: number(0), names, others: number(8) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusals(search: &[&str]) -> Refusals {
        Refusals::new(memory().unwrap(), &search.iter().map(|it| it.to_string()).collect::<Vec<_>>())
    }

    #[test]
    fn what_was_noted_is_read() {
        let mut refusals = refusals(&[]);
        assert_eq!(read(&refusals.memory), RefusedNames::default());
        for name in ["a.example", "b.example", "a.example", ""] {
            refusals.note(name, WhyRefused::NotNamed);
        }
        refusals.note("a.example", WhyRefused::NotPublic);
        let told = read(&refusals.memory);
        assert_eq!(told, refusals.told);
        assert_eq!((told.questions, told.others), (5, 1));
        let names: Vec<(&str, u64)> = told.names.iter().map(|it| (it.name.as_str(), it.questions)).collect();
        assert_eq!(names, [("a.example", 2), ("b.example", 1), ("a.example", 1)]);
    }

    #[test]
    fn there_is_an_end_to_it() {
        let mut refusals = refusals(&[]);
        let long = "x".repeat(LONGEST);
        refusals.note(&long, WhyRefused::NotNamed);
        refusals.note(&"y".repeat(300), WhyRefused::NotNamed);
        for number in 0..1000 {
            refusals.note(&format!("n{number}.example"), WhyRefused::NotNamed);
        }
        let told = read(&refusals.memory);
        assert_eq!((told.names.len(), told.questions, told.others), (MOST, 1002, 1 + 1000 - (MOST as u64 - 1)));
        assert_eq!(told.names[0].name, long);
    }

    #[test]
    fn a_completed_name_is_that_of_its_library() {
        let refusals = refusals(&["corp.example.", "."]);
        let known = |name: &str| name == "api.example.org";
        assert!(refusals.is_completed("api.example.org.corp.example", known));
        assert!(!refusals.is_completed("other.example.org.corp.example", known));
        assert!(
            !refusals.is_completed("api.example.orgcorp.example", known)
                && !refusals.is_completed("corp.example", known)
        );
    }
}
