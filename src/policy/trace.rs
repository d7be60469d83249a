//! Where a value comes from.

use std::sync::Arc;

use serde::Serialize;

use crate::source::{Files, Span};

/// A value, the places that had a say in it, and how much the policy insists on it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Traced<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether a run may go on without it.
    #[serde(default)]
    pub strength: Strength,
}

/// How much a statement insists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// A sandbox without it does not start.
    #[default]
    Required,
    /// `prefer`: where the host cannot, the run goes on and says so.
    Prefer,
    /// `optional`: skipped where its path is missing.
    Optional,
}

/// The place that made a value, and what it replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The statement that made it.
    pub span: Span,
    /// How it made it.
    pub how: How,
    /// The key of the statement in the merge rule, such as `mnt.mount[/tmp]`.
    pub key: Arc<str>,
    /// The instances of `with` through which it arrived, outermost first; empty for a sandbox's own body.
    pub via: Arc<[Via]>,
    /// What it replaced, latest first.
    pub replaced: Vec<Replaced>,
}

/// One instance of a profile on the way to a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Via {
    /// The instance as written after `with`.
    pub span: Span,
    /// The profile, such as `service.hardened`.
    pub profile: String,
}

/// A value that lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replaced {
    /// What of the value that won is weaker than this one, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weaker: Option<String>,
    /// The statement that had made it.
    pub span: Span,
    /// How it had made it.
    pub how: How,
    /// The instances of `with` through which it had arrived, outermost first.
    #[serde(skip_serializing_if = "<[Via]>::is_empty")]
    pub via: Arc<[Via]>,
    /// The value, as text.
    pub text: String,
}

impl Replaced {
    /// Where it came from, for people.
    pub fn place(&self, files: &Files) -> String {
        route(files, self.span, &self.via)
    }
}

/// A place, and the instances through which what stands there arrived.
fn route(files: &Files, span: Span, via: &[Via]) -> String {
    let mut told = files.line_place(span);
    for via in via.iter().rev() {
        told.push_str(&format!(" via {} at {}", via.profile, files.line_place(via.span)));
    }
    told
}

/// How a statement makes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// `default`
    Default,
    /// A plain statement.
    Set,
    /// `override`
    Override,
    /// `final`
    Final,
    /// Nobody wrote it; the rule that implies it, such as "a user namespace without a map".
    Implied(&'static str),
}

impl How {
    /// The word for it in messages.
    pub fn word(self) -> &'static str {
        match self {
            How::Default => "default",
            How::Set => "set",
            How::Override => "override",
            How::Final => "final",
            How::Implied(_) => "implied",
        }
    }
}

impl Origin {
    /// The origin of something that nobody wrote: `span` is what it follows from.
    pub fn implied(span: Span, key: &str, rule: &'static str) -> Origin {
        Origin { span, how: How::Implied(rule), key: key.into(), via: Arc::from([]), replaced: Vec::new() }
    }

    /// Where it comes from, for people: `std/service.nsl:21 via service.hardened at web.nsl:12 (default)`; of what nobody
    /// wrote, the rule.
    pub fn place(&self, files: &Files) -> String {
        if let How::Implied(rule) = self.how {
            return format!("default: {rule}");
        }
        let told = route(files, self.span, &self.via);
        match self.how {
            How::Set | How::Implied(_) => told,
            how => format!("{told} ({})", how.word()),
        }
    }
}

impl<T> Traced<T> {
    /// A required value with its origin.
    pub fn new(value: T, origin: Origin) -> Traced<T> {
        Traced { value, origin, strength: Strength::Required }
    }

    /// Something that nobody wrote: `span` is what it follows from.
    pub fn implied(value: T, span: Span, key: &str, rule: &'static str) -> Traced<T> {
        Traced::new(value, Origin::implied(span, key, rule))
    }

    /// The statement that made it.
    pub fn span(&self) -> Span {
        self.origin.span
    }

    /// Another value with the same origin and strength.
    pub fn map<U>(self, to: impl FnOnce(T) -> U) -> Traced<U> {
        Traced { value: to(self.value), origin: self.origin, strength: self.strength }
    }

    /// Whether nobody wrote it.
    pub fn is_implied(&self) -> bool {
        matches!(self.origin.how, How::Implied(_))
    }
}
