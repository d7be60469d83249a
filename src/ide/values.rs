//! What is expected where a value stands: a type of the schema, a type of a parameter, a word of the kernel.

use crate::schema::{ArgKind, ArgSpec, Field, Section, Ty, Variant};
use crate::syntax::ast::{Arg, Expr, ExprKind, Instance, Name, TypeExpr};

/// What is expected at a place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expect<'t> {
    /// Anything.
    Nothing,
    /// A value of a type, a bare word of which means something.
    Ty(Ty, Role),
    /// A value of a parameter's type.
    Param(&'t TypeExpr),
    /// The argument of a profile.
    Argument(&'t Instance, &'t Name),
    /// An argument of a profile whose name is still missing.
    ArgumentName(&'t Instance),
    /// An argument of a variant, of which only some words are possible.
    VariantArg(&'static Variant, &'t Expr),
    /// A condition.
    Condition,
    /// The name of an argument of a system call.
    CallArgument(&'t str),
    /// A constant that an argument of a system call is compared with.
    Constant,
}

/// What a bare word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing that is known beforehand.
    Word,
    /// capabilities(7)
    Capability,
    /// A system call or a group.
    Call,
    /// An errno.
    Errno,
    /// A container of the pod.
    Container,
    /// A sandbox that is declared somewhere.
    Sandbox,
    /// A pod that is declared somewhere.
    Pod,
}

impl Role {
    /// What the words of a field's labels mean.
    fn of_label(field: &Field) -> Role {
        match (field.section, field.head) {
            ("caps", _) => Role::Capability,
            ("seccomp", "allow" | "deny") => Role::Call,
            _ => Role::Word,
        }
    }

    /// What the words of a field's value mean.
    pub(super) fn of_value(field: Option<&Field>) -> Role {
        match field {
            Some(field) if field.head == "after" => Role::Container,
            _ => Role::Word,
        }
    }

    pub(super) fn of_argument(arg: &ArgSpec) -> Role {
        match arg.name {
            "errno" => Role::Errno,
            "sandbox" => Role::Sandbox,
            "pod" => Role::Pod,
            _ => Role::Word,
        }
    }
}

impl<'t> Expect<'t> {
    /// What is expected of an element of a list.
    pub(super) fn element(self) -> Expect<'t> {
        match self {
            Expect::Ty(ty, role) => list_element(&ty).map_or(self, |inner| Expect::Ty(inner, role)),
            Expect::Param(TypeExpr::List(inner, _)) => Expect::Param(inner),
            other => other,
        }
    }

    /// What is expected left of an operator.
    pub(super) fn left(self) -> Expect<'t> {
        self
    }

    /// What is expected right of an operator.
    pub(super) fn right(self, left: &Expr) -> Expect<'t> {
        match (self, &left.kind) {
            (Expect::CallArgument(_), _) => Expect::Constant,
            (Expect::Condition, ExprKind::Binary { .. }) => Expect::Condition,
            _ => Expect::Nothing,
        }
    }
}

fn list_element(ty: &Ty) -> Option<Ty> {
    match ty {
        Ty::List(inner) => Some(**inner),
        Ty::Any(types) => types.iter().find_map(list_element),
        _ => None,
    }
}

/// The variants that a type has.
pub(super) fn variants(ty: &Ty) -> Vec<&'static Variant> {
    match ty {
        Ty::Variant(variants) => variants.iter().collect(),
        Ty::Any(types) => types.iter().flat_map(variants).collect(),
        Ty::List(inner) => variants(inner),
        _ => Vec::new(),
    }
}

/// The variant of this name that a type has.
pub(super) fn variant(ty: &Ty, name: &str) -> Option<&'static Variant> {
    variants(ty).into_iter().find(|it| it.name == name)
}

/// What is expected of a label of a statement.
pub(super) fn label_expect<'t>(
    section: Option<&'static Section>,
    field: Option<&'static Field>,
    labels: usize,
    at: usize,
) -> Expect<'t> {
    if let Some(section) = section.filter(|it| it.has_mode && at == 0) {
        return Expect::Ty(section.mode(), Role::Word);
    }
    let Some(field) = field else { return Expect::Nothing };
    let leads = field.lead.filter(|_| labels > field.labels.len());
    let mut types = leads.into_iter().chain(field.labels.iter().copied()).chain(field.trail);
    types.nth(at).map_or(Expect::Nothing, |ty| Expect::Ty(ty, Role::of_label(field)))
}

/// What is expected of an argument's value.
pub(super) fn argument_expect<'t>(expect: Expect<'t>, variant_at: &'t Expr, arg: &'t Arg) -> Expect<'t> {
    let ExprKind::Variant { name, args } = &variant_at.kind else { return Expect::Nothing };
    let Expect::Ty(ty, role) = expect else { return Expect::Nothing };
    if role == Role::Call {
        return Expect::CallArgument(&name.node);
    }
    let Some(variant) = variant(&ty, &name.node) else { return Expect::Nothing };
    let of = |spec: &ArgSpec| match spec.kind {
        ArgKind::Named(ty) | ArgKind::Positional(ty) => Expect::Ty(ty, Role::of_argument(spec)),
        ArgKind::Flag => Expect::Nothing,
    };
    if let Some(name) = &arg.name {
        return variant.args.iter().find(|it| it.name == name.node).map_or(Expect::Nothing, of);
    }
    let is_flag = |arg: &Arg| match &arg.value.kind {
        ExprKind::Symbol(word) => variant.args.iter().any(|it| it.name == word && it.kind == ArgKind::Flag),
        _ => false,
    };
    if is_flag(arg) {
        return Expect::VariantArg(variant, variant_at);
    }
    let before =
        args.iter().take_while(|it| it.span != arg.span).filter(|it| it.name.is_none() && !is_flag(it)).count();
    let positional = variant.args.iter().filter(|it| matches!(it.kind, ArgKind::Positional(_))).nth(before);
    match (positional, &arg.value.kind) {
        // A bare word may be the beginning of a flag, or of the name of an argument.
        (_, ExprKind::Symbol(_)) if variant.args.len() > 1 || positional.is_none() => {
            Expect::VariantArg(variant, variant_at)
        }
        (Some(spec), _) => of(spec),
        (None, _) => Expect::VariantArg(variant, variant_at),
    }
}
