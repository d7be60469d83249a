//! The parameters of the profile, or the arguments of the variant, that the cursor stands in.

use super::complete::CURSOR;
use super::locate::Place;
use super::values::{Expect, Role, variant};
use super::{Project, Source, scope};
use crate::schema::{Ty, syscalls};
use crate::syntax::ast::*;

/// What stands in a pair of parentheses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The whole, in one line.
    pub label: String,
    /// What it is about.
    pub docs: Option<String>,
    /// The parameters as they stand in the label.
    pub parameters: Vec<String>,
    /// Which of them the cursor is at.
    pub active: Option<usize>,
}

/// The signature of what an offset stands in the parentheses of.
pub fn signature(project: &Project, path: &str, offset: usize) -> Option<Signature> {
    let text = project.text(path)?;
    let (before, behind) = (text.get(..offset)?, text.get(offset..)?);
    let line_end = behind.find('\n').unwrap_or(behind.len());
    let (line, rest) = behind.split_at(line_end);
    // As in completion: a word for the cursor, and the ends that the line may lack.
    for end in [line, "", ") {}"] {
        let source = Source::new(path, format!("{before}{CURSOR}{end}{rest}"));
        let place = Place::of(&source.tree, offset + 1);
        let found = of_instance(project, &source, &place, offset).or_else(|| of_variant(&source, &place, offset));
        if found.is_some() {
            return found;
        }
    }
    None
}

fn of_instance(project: &Project, source: &Source, place: &Place, offset: usize) -> Option<Signature> {
    let decl = place.decls.last()?;
    let inside = |it: &&Instance| {
        let behind_name = it.path.last().is_some_and(|it| (it.span.end as usize) < offset + 1);
        (it.span.start as usize) < offset && offset < it.span.end as usize && behind_name
    };
    let instance = decl.with.iter().find(inside)?;
    let (home, at) = scope::find_profile(project, source, instance)?;
    let profile = scope::decl(&home, at)?;
    let parameters: Vec<String> = profile.params.iter().map(|it| scope::param_text(&home, it)).collect();
    let arg = instance.args.iter().find(|it| source.slice(it.span).contains(CURSOR));
    let active = arg
        .and_then(|it| it.name.as_ref())
        .and_then(|name| profile.params.iter().position(|it| it.name.node == name.node));
    let label = format!(
        "{}({})",
        source.slice(instance.path.first()?.span.to(instance.path.last()?.span)),
        parameters.join(", ")
    );
    Some(Signature { label, docs: profile.docs.clone(), parameters, active })
}

fn of_variant(source: &Source, place: &Place, offset: usize) -> Option<Signature> {
    let statement = place.statement?;
    let field = place.field();
    let section = place.heads_section();
    let labels = statement.labels.iter().enumerate();
    let label = labels.map(|(at, it)| (it, super::values::label_expect(section, field, statement.labels.len(), at)));
    let value = statement.value.iter().map(|it| {
        let expect = field.and_then(|it| it.value).map_or(Expect::Nothing, |ty| Expect::Ty(ty, Role::of_value(field)));
        (it, expect)
    });
    let inside = |it: &Expr| match &it.kind {
        ExprKind::Variant { name, args } => {
            (name.span.end as usize) < offset + 1 && offset < it.span.end as usize && !args.is_empty()
        }
        _ => false,
    };
    let (it, expect) = label.chain(value).find(|(it, _)| inside(it))?;
    let (ExprKind::Variant { name, args }, Expect::Ty(ty, role)) = (&it.kind, expect) else { return None };
    let arg = args.iter().find(|it| source.slice(it.span).contains(CURSOR))?;
    match role {
        Role::Call => of_call(&name.node),
        _ => of_type(&ty, &name.node, arg),
    }
}

fn of_call(call: &str) -> Option<Signature> {
    let parameters: Vec<String> = syscalls::arguments(call).iter().map(|it| it.name.to_string()).collect();
    let label = format!("{call}({})", parameters.join(", "));
    let docs = Some("a condition on arguments, such as `family != AF_UNIX`".to_string());
    (!parameters.is_empty()).then_some(Signature { label, docs, parameters, active: None })
}

fn of_type(ty: &Ty, name: &str, arg: &Arg) -> Option<Signature> {
    let found = variant(ty, name)?;
    let usage = found.usage();
    let inner = usage.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')?;
    let parameters: Vec<String> = inner.split(", ").map(str::to_string).collect();
    let active = arg.name.as_ref().and_then(|name| found.args.iter().position(|it| it.name == name.node));
    Some(Signature { label: usage.clone(), docs: Some(found.doc.to_string()), parameters, active })
}
