//! pest's pairs -> the tree.

use pest::iterators::Pair;

use super::ast::*;
use super::explain;
use super::parse::{Place, Rule};
use crate::report::Diagnostic;
use crate::source::{Span, Spanned};

/// Lowers a whole file.
pub(super) fn file(text: &str, place: Place, root: Pair<Rule>, into: &mut File) {
    let mut lowering = Lowering { text, place, errors: Vec::new(), comments: Vec::new() };
    for pair in root.into_inner() {
        match pair.as_rule() {
            Rule::edition => into.edition = lowering.edition(pair),
            Rule::EOI => {}
            _ => into.items.extend(lowering.item(pair)),
        }
    }
    into.errors.append(&mut lowering.errors);
    into.comments = lowering.comments;
}

/// Lowers a value that stands alone.
pub(super) fn value(text: &str, place: Place, pair: Pair<Rule>) -> Result<Expr, Diagnostic> {
    let mut lowering = Lowering { text, place, errors: Vec::new(), comments: Vec::new() };
    let value = lowering.value(pair);
    lowering.errors.into_iter().next().map_or(Ok(value), Err)
}

struct Lowering<'t> {
    text: &'t str,
    place: Place,
    errors: Vec<Diagnostic>,
    comments: Vec<Span>,
}

impl Lowering<'_> {
    fn span(&self, pair: &Pair<Rule>) -> Span {
        let span = pair.as_span();
        self.place.span(span.start(), span.end())
    }

    /// The span of a rule that may end in white space and comments, which pest counts in.
    fn tight(&self, pair: &Pair<Rule>) -> Span {
        self.place.span(pair.as_span().start(), end_of(pair))
    }

    fn name(&self, pair: &Pair<Rule>) -> Name {
        Spanned { node: pair.as_str().to_string(), span: self.span(pair) }
    }

    /// The children that mean something; comments are noted on the way.
    fn children<'p>(&mut self, pair: Pair<'p, Rule>) -> std::collections::VecDeque<Pair<'p, Rule>> {
        let mut children = std::collections::VecDeque::new();
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::COMMENT => self.comment(&inner),
                Rule::kw_use | Rule::kw_as | Rule::kw_param | Rule::kw_let | Rule::kw_with | Rule::kw_syscalls => {}
                Rule::kw_group | Rule::kw_if | Rule::kw_else | Rule::kw_for | Rule::kw_in | Rule::kw_require => {}
                Rule::kw_or | Rule::kw_and | Rule::kw_nsl | Rule::EOI => {}
                _ => children.push_back(inner),
            }
        }
        children
    }

    fn comment(&mut self, pair: &Pair<Rule>) {
        let text = pair.as_str();
        if !text.starts_with("##") || text.starts_with("###") {
            self.comments.push(self.span(pair));
        }
    }

    fn edition(&mut self, pair: Pair<Rule>) -> Option<Spanned<u32>> {
        let span = self.tight(&pair);
        let number = self.children(pair).pop_front()?;
        if number.as_str() == "1" {
            return Some(Spanned { node: 1, span });
        }
        self.errors.push(
            Diagnostic::error(
                "unknown-edition",
                format!("this version knows no edition {} of the language", number.as_str()),
            )
            .label(self.span(&number), "the only edition is 1")
            .help("write `nsl 1`, or use a newer nsl")
            .fix("write `nsl 1`", span, "nsl 1"),
        );
        Some(Spanned { node: 0, span })
    }

    fn item(&mut self, pair: Pair<Rule>) -> Option<Item> {
        let start = pair.as_span().start();
        let span = self.tight(&pair);
        Some(match pair.as_rule() {
            Rule::COMMENT => {
                self.comment(&pair);
                return None;
            }
            Rule::use_item => {
                let mut parts = self.children(pair);
                let module = parts.pop_front()?;
                let module = self.name(&module);
                Item::Use(Use { module, alias: parts.pop_front().map(|it| self.name(&it)), span })
            }
            Rule::param_item => {
                let inner = self.children(pair).pop_front()?;
                let mut param = self.param(inner)?;
                param.span = span;
                param.docs = self.docs(start);
                Item::Param(param)
            }
            Rule::let_item => {
                let mut parts = self.children(pair);
                let name = parts.pop_front()?;
                let name = self.name(&name);
                let value = self.value(parts.pop_front()?);
                Item::Let(Let { name, value, docs: self.docs(start), span })
            }
            Rule::decl => Item::Decl(self.decl(pair, span)?),
            Rule::group => Item::Group(self.group(pair, span)?),
            Rule::if_item => Item::If(self.if_item(pair, span)?),
            Rule::for_item => {
                let mut parts = self.children(pair);
                let name = parts.pop_front()?;
                let name = self.name(&name);
                let list = self.value(parts.pop_front()?);
                Item::For(For { name, list, body: self.block(parts.pop_front()?), span })
            }
            Rule::require_item => {
                let mut parts = self.children(pair);
                let cond = self.cond(parts.pop_front()?);
                Item::Require(Require { cond, message: self.value(parts.pop_front()?), span })
            }
            Rule::statement => Item::Statement(self.statement(pair, span)?),
            _ => {
                let span = pair.as_span();
                let length = span.as_str().trim_end().len();
                self.errors.extend(explain::junk(self.text, self.place, span.start(), span.start() + length));
                Item::Error(self.place.span(span.start(), span.start() + length))
            }
        })
    }

    /// The `##` lines right above an offset.
    fn docs(&self, start: usize) -> Option<String> {
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let mut lines: Vec<&str> = self.text[..line_start]
            .lines()
            .rev()
            .map_while(|line| line.trim_start().strip_prefix("##").filter(|it| !it.starts_with('#')))
            .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
            .collect();
        lines.reverse();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    fn param(&mut self, pair: Pair<Rule>) -> Option<Param> {
        let (span, start) = (self.tight(&pair), pair.as_span().start());
        let mut parts = self.children(pair);
        let name = parts.pop_front()?;
        let name = self.name(&name);
        let ty = self.type_expr(parts.pop_front()?)?;
        let default = parts.pop_front().map(|it| self.value(it));
        Some(Param { name, ty, default, docs: self.docs(start), span })
    }

    fn type_expr(&mut self, pair: Pair<Rule>) -> Option<TypeExpr> {
        let span = self.tight(&pair);
        match pair.as_rule() {
            Rule::word => Some(TypeExpr::Named(self.name(&pair))),
            Rule::type_list => {
                let inner = self.children(pair).pop_front()?;
                Some(TypeExpr::List(Box::new(self.type_expr(inner)?), span))
            }
            _ => {
                let inner = self.children(pair).pop_front()?;
                self.type_expr(inner)
            }
        }
    }

    fn decl(&mut self, pair: Pair<Rule>, span: Span) -> Option<Decl> {
        let start = pair.as_span().start();
        let mut parts = self.children(pair);
        let kind = parts.pop_front()?;
        let kind = Spanned {
            node: match kind.as_str() {
                "profile" => DeclKind::Profile,
                "sandbox" => DeclKind::Sandbox,
                "pod" => DeclKind::Pod,
                _ => DeclKind::Container,
            },
            span: self.span(&kind),
        };
        let name = parts.pop_front()?;
        let name = self.name(&name);
        let (mut params, mut with) = (Vec::new(), Vec::new());
        let mut body = Block { items: Vec::new(), span };
        for part in parts {
            match part.as_rule() {
                Rule::params => params = self.children(part).into_iter().filter_map(|it| self.param(it)).collect(),
                Rule::withs => with = self.children(part).into_iter().filter_map(|it| self.instance(it)).collect(),
                _ => body = self.block(part),
            }
        }
        Some(Decl { kind, name, params, with, body, docs: self.docs(start), span })
    }

    fn instance(&mut self, pair: Pair<Rule>) -> Option<Instance> {
        let span = self.tight(&pair);
        let mut parts = self.children(pair);
        let path = self.names(parts.pop_front()?);
        let args = parts.pop_front().map_or(Vec::new(), |it| self.args(it));
        Some(Instance { path, args, span })
    }

    fn names(&mut self, pair: Pair<Rule>) -> Vec<Name> {
        pair.into_inner().map(|it| self.name(&it)).collect()
    }

    fn group(&mut self, pair: Pair<Rule>, span: Span) -> Option<Group> {
        let start = pair.as_span().start();
        let mut parts = self.children(pair);
        let name = parts.pop_front()?;
        let name = self.name(&name);
        let members = parts
            .into_iter()
            .map(|part| match part.as_rule() {
                Rule::setref => {
                    let node = part.as_str().trim_start_matches('@').to_string();
                    GroupMember::Group(Spanned { node, span: self.span(&part) })
                }
                _ => GroupMember::Call(self.name(&part)),
            })
            .collect();
        Some(Group { name, members, docs: self.docs(start), span })
    }

    fn if_item(&mut self, pair: Pair<Rule>, span: Span) -> Option<If> {
        let mut parts = self.children(pair);
        let cond = self.cond(parts.pop_front()?);
        let then = self.block(parts.pop_front()?);
        let otherwise = match parts.pop_front() {
            Some(part) if part.as_rule() == Rule::if_item => {
                let span = self.tight(&part);
                Some(Block { items: self.if_item(part, span).map(Item::If).into_iter().collect(), span })
            }
            Some(part) => Some(self.block(part)),
            None => None,
        };
        Some(If { cond, then, otherwise, span })
    }

    fn block(&mut self, pair: Pair<Rule>) -> Block {
        let span = self.span(&pair);
        Block { items: pair.into_inner().filter_map(|it| self.item(it)).collect(), span }
    }

    fn statement(&mut self, pair: Pair<Rule>, span: Span) -> Option<Statement> {
        let start = pair.as_span().start();
        let equals = self.equals_sign(&pair);
        let (mut modifier, mut strength, mut head) = (None, None, None);
        let (mut labels, mut value, mut block) = (Vec::new(), None, None);
        for part in self.children(pair) {
            let at = part.as_span().start();
            let span = self.span(&part);
            match part.as_rule() {
                Rule::modifier => modifier = Some(Spanned { node: modifier_of(part.as_str()), span }),
                Rule::strength => {
                    let node = if part.as_str() == "prefer" { Strength::Prefer } else { Strength::Optional };
                    strength = Some(Spanned { node, span });
                }
                Rule::dotted => head = Some(self.name(&part)),
                Rule::block => block = Some(self.block(part)),
                _ if equals.is_some_and(|equals| at > equals) => value = Some(self.value(part)),
                _ => labels.push(self.value(part)),
            }
        }
        Some(Statement { modifier, strength, head: head?, labels, value, block, docs: self.docs(start), span })
    }

    /// Where the `=` between labels and value stands: the grammar gives it no name, so as to stay lean.
    fn equals_sign(&self, pair: &Pair<Rule>) -> Option<usize> {
        let mut end = pair.as_span().start();
        for inner in pair.clone().into_inner() {
            let span = inner.as_span();
            let gap = &self.text[end..span.start().max(end)];
            if let Some(at) = gap.find('=').filter(|_| inner.as_rule() != Rule::COMMENT) {
                return Some(end + at);
            }
            end = span.end();
        }
        None
    }

    fn value(&mut self, pair: Pair<Rule>) -> Expr {
        let span = self.span(&pair);
        let text = pair.as_str();
        let kind = match pair.as_rule() {
            Rule::boolean => ExprKind::Bool(text == "true"),
            Rule::int => self.int(text, span),
            Rule::quantity => {
                let mut parts = pair.into_inner();
                let mut part = || parts.next().map_or(String::new(), |it| it.as_str().to_string());
                ExprKind::Quantity { number: part(), unit: part() }
            }
            Rule::port => {
                let (number, protocol) = text.split_once('/').unwrap_or((text, ""));
                ExprKind::Port { number: number.parse().unwrap_or(u64::MAX), protocol: protocol.to_string() }
            }
            Rule::address => ExprKind::Address(text.to_string()),
            Rule::path => ExprKind::Path(text.to_string()),
            Rule::string => self.string(pair),
            Rule::symbol => ExprKind::Symbol(text.to_string()),
            Rule::reference => ExprKind::Ref(self.names(pair)),
            Rule::setref => ExprKind::Set(text.trim_start_matches('@').to_string()),
            Rule::list => {
                let span = self.tight(&pair);
                let items = self.children(pair).into_iter().map(|it| self.value(it)).collect();
                return Expr { kind: ExprKind::List(items), span };
            }
            Rule::variant => {
                let span = self.tight(&pair);
                let mut parts = self.children(pair);
                let name = parts.pop_front().map(|it| self.name(&it));
                let args = parts.pop_front().map_or(Vec::new(), |it| self.args(it));
                let name = name.unwrap_or(Spanned { node: String::new(), span });
                return Expr { kind: ExprKind::Variant { name, args }, span };
            }
            Rule::cond | Rule::compare => return self.cond(pair),
            _ => ExprKind::Error,
        };
        Expr { kind, span }
    }

    fn int(&mut self, text: &str, span: Span) -> ExprKind {
        let parsed = match (text.strip_prefix("0x"), text.strip_prefix("0o")) {
            (Some(digits), _) => i128::from_str_radix(digits, 16),
            (_, Some(digits)) => i128::from_str_radix(digits, 8),
            _ => text.parse(),
        };
        match parsed {
            Ok(number) => ExprKind::Int(number),
            Err(_) => {
                self.errors.push(
                    Diagnostic::error("bad-number", format!("`{text}` is no number"))
                        .label(span, "too large, or with a digit that its base does not have")
                        .help("write a smaller number; `0o` is octal (digits 0 to 7), `0x` hexadecimal"),
                );
                ExprKind::Error
            }
        }
    }

    fn string(&mut self, pair: Pair<Rule>) -> ExprKind {
        let mut parts: Vec<StrPart> = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::text => push_text(&mut parts, part.as_str()),
                Rule::escape => push_text(&mut parts, &self.escape(&part)),
                _ => {
                    let span = self.span(&part);
                    parts.push(StrPart::Ref(self.names(part), span));
                }
            }
        }
        ExprKind::Str(parts)
    }

    fn escape(&mut self, pair: &Pair<Rule>) -> String {
        let text = pair.as_str();
        let plain = match text {
            "\\n" => Some('\n'),
            "\\t" => Some('\t'),
            "\\r" => Some('\r'),
            "\\\\" => Some('\\'),
            "\\\"" => Some('"'),
            "\\$" => Some('$'),
            _ => text.strip_prefix("\\u{").and_then(|it| {
                u32::from_str_radix(it.trim_end_matches('}'), 16).ok().and_then(char::from_u32).filter(|it| *it != '\0')
            }),
        };
        plain.map(String::from).unwrap_or_else(|| {
            self.errors.push(
                Diagnostic::error("bad-escape", format!("`{text}` is no escape"))
                    .label(self.span(pair), "in this string")
                    .help(r#"escapes are \n \t \r \\ \" \$ and \u{1F600}; write `\\` for a backslash"#),
            );
            String::new()
        })
    }

    fn args(&mut self, pair: Pair<Rule>) -> Vec<Arg> {
        self.children(pair).into_iter().filter_map(|it| self.arg(it)).collect()
    }

    fn arg(&mut self, pair: Pair<Rule>) -> Option<Arg> {
        let span = self.tight(&pair);
        let mut parts = self.children(pair);
        let first = parts.pop_front()?;
        let (name, value) = match first.as_rule() {
            Rule::word => (Some(self.name(&first)), parts.pop_front()?),
            _ => (None, first),
        };
        Some(Arg { name, value: self.cond(value), span })
    }

    /// A condition, of any level; a level with one operand is that operand.
    fn cond(&mut self, pair: Pair<Rule>) -> Expr {
        let rule = pair.as_rule();
        let op = match rule {
            Rule::cond => BinaryOp::Or,
            Rule::all_of => BinaryOp::And,
            Rule::masked => BinaryOp::Mask,
            Rule::compare => return self.compare(pair),
            Rule::negated => return self.negated(pair),
            _ => return self.value(pair),
        };
        let parts = self.children(pair);
        let mut operands = parts.into_iter().map(|it| self.cond(it)).collect::<Vec<_>>().into_iter();
        let first = operands.next().unwrap_or(Expr { kind: ExprKind::Error, span: self.place.span(0, 0) });
        operands.fold(first, |left, right| binary(op, left, right))
    }

    fn negated(&mut self, pair: Pair<Rule>) -> Expr {
        let start = self.tight(&pair);
        let mut parts = self.children(pair);
        let first = parts.pop_front();
        match (first.as_ref().map(|it| it.as_rule()), parts.pop_front()) {
            (Some(Rule::kw_not), Some(inner)) => {
                let inner = self.cond(inner);
                let span = start.to(inner.span);
                Expr { kind: ExprKind::Not(Box::new(inner)), span }
            }
            _ => first.map_or(Expr { kind: ExprKind::Error, span: start }, |it| self.cond(it)),
        }
    }

    fn compare(&mut self, pair: Pair<Rule>) -> Expr {
        let span = self.tight(&pair);
        let mut parts = self.children(pair);
        let left = parts.pop_front().map(|it| self.cond(it)).unwrap_or(Expr { kind: ExprKind::Error, span });
        let (Some(op), Some(right)) = (parts.pop_front(), parts.pop_front()) else { return left };
        let op = match op.as_str() {
            "==" => BinaryOp::Eq,
            "!=" => BinaryOp::Ne,
            "<=" => BinaryOp::Le,
            ">=" => BinaryOp::Ge,
            "<" => BinaryOp::Lt,
            ">" => BinaryOp::Gt,
            _ => BinaryOp::In,
        };
        let right = self.cond(right);
        binary(op, left, right)
    }
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr { kind: ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, span }
}

fn modifier_of(text: &str) -> Modifier {
    match text {
        "default" => Modifier::Default,
        "override" => Modifier::Override,
        "final" => Modifier::Final,
        _ => Modifier::Remove,
    }
}

fn push_text(parts: &mut Vec<StrPart>, text: &str) {
    match parts.last_mut() {
        Some(StrPart::Text(before)) => before.push_str(text),
        _ => parts.push(StrPart::Text(text.to_string())),
    }
}

/// Where the last token of a rule ends.
fn end_of(pair: &Pair<Rule>) -> usize {
    let whole = pair.as_span();
    match pair.as_rule() {
        // These end in a bracket.
        Rule::block | Rule::list | Rule::args | Rule::params | Rule::type_list | Rule::group => whole.end(),
        _ => match pair.clone().into_inner().filter(|it| it.as_rule() != Rule::COMMENT).last() {
            Some(last) => end_of(&last),
            None => whole.start() + whole.as_str().trim_end().len(),
        },
    }
}
