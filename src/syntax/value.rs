//! pest's pairs -> the tree: values, strings, conditions.

use std::iter::Peekable;

use pest::iterators::Pair;

use super::ast::*;
use super::lower::Lowering;
use super::parse::Rule;
use super::{number, slips};

impl Lowering<'_> {
    /// A value that stands before the `=` of a statement: arguments in it are conditions of a system call, or a mode's.
    pub(super) fn label(&mut self, pair: Pair<Rule>) -> Expr {
        self.named_or_value(pair, true)
    }

    pub(super) fn value(&mut self, pair: Pair<Rule>) -> Expr {
        self.named_or_value(pair, false)
    }

    fn named_or_value(&mut self, pair: Pair<Rule>, is_label: bool) -> Expr {
        let span = self.span(&pair);
        let text = pair.as_str();
        let kind = match pair.as_rule() {
            Rule::named => return self.named(pair, is_label),
            Rule::path => slips::path(self, text, span),
            Rule::number => match number::number(text) {
                Ok(kind) => kind,
                Err(wrong) => slips::number(self, text, wrong, span),
            },
            Rule::string => self.string(pair),
            Rule::reference => ExprKind::Ref(self.names(pair)),
            Rule::setref => ExprKind::Set(text.trim_start_matches('@').to_string()),
            Rule::everything => ExprKind::Everything,
            Rule::address => ExprKind::Address(text.to_string()),
            Rule::list => {
                let parts = slips::commas(self, pair, "elements");
                ExprKind::List(parts.into_iter().map(|it| self.value(it)).collect())
            }
            Rule::parens => {
                let parts = self.children(pair).collect();
                return self.condition(parts);
            }
            Rule::wrong_word => slips::wrong_word(self, text, span),
            Rule::wrong_quotes => slips::wrong_quotes(self, text, span),
            _ => ExprKind::Error,
        };
        Expr { kind, span }
    }

    /// A word, alone or with arguments.
    fn named(&mut self, pair: Pair<Rule>, is_label: bool) -> Expr {
        let mut parts = self.children(pair);
        let Some(word) = parts.next() else { return Expr { kind: ExprKind::Error, span: self.place.span(0, 0) } };
        let span = self.span(&word);
        let Some(args) = parts.next() else {
            let kind = match word.as_str() {
                "true" => ExprKind::Bool(true),
                "false" => ExprKind::Bool(false),
                text => ExprKind::Symbol(text.to_string()),
            };
            return Expr { kind, span };
        };
        let span = span.to(self.span(&args));
        let args = self.args_of(args, is_label);
        Expr { kind: ExprKind::Variant { name: self.name(&word), args }, span }
    }

    pub(super) fn args(&mut self, pair: Pair<Rule>) -> Vec<Arg> {
        self.args_of(pair, false)
    }

    fn args_of(&mut self, pair: Pair<Rule>, is_label: bool) -> Vec<Arg> {
        let parts = slips::commas(self, pair, "arguments");
        parts.into_iter().map(|it| self.arg(it, is_label)).collect()
    }

    fn arg(&mut self, pair: Pair<Rule>, is_label: bool) -> Arg {
        let span = self.tight(&pair);
        let mut name = None;
        let mut cond = Vec::with_capacity(1);
        for part in self.children(pair) {
            match part.as_rule() {
                Rule::arg_name => name = Some(self.name(&part)),
                Rule::wrong_colon => slips::wrong_colon(self, &part, is_label),
                _ => cond.push(part),
            }
        }
        Arg { name, value: self.condition(cond), span }
    }

    fn string(&mut self, pair: Pair<Rule>) -> ExprKind {
        let mut parts: Vec<StrPart> = Vec::new();
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::text => push_text(&mut parts, part.as_str()),
                Rule::escape => match escape(part.as_str()) {
                    Some(it) => push_text(&mut parts, it.encode_utf8(&mut [0; 4])),
                    None => slips::escape(self, part.as_str(), span),
                },
                Rule::hole => parts.push(StrPart::Ref(self.names(part), span)),
                _ => slips::hole(self, part.as_str(), span),
            }
        }
        ExprKind::Str(parts)
    }

    /// Operands and operators of a condition, flat, as the grammar reads them.
    pub(super) fn condition(&mut self, parts: Vec<Pair<Rule>>) -> Expr {
        if self.depth == 0 {
            self.operators = 0;
        }
        // Every operator is a level of the tree, and whoever walks it recurses.
        let before = self.operators;
        self.operators += parts.len().saturating_sub(1);
        if self.operators > MAX_OPERATORS {
            let span = self.span(&parts[(MAX_OPERATORS - before.min(MAX_OPERATORS)).min(parts.len() - 1)]);
            if before <= MAX_OPERATORS {
                slips::long_condition(self, span);
            }
            return Expr { kind: ExprKind::Error, span };
        }
        self.depth += 1;
        let result = self.operation(&mut parts.into_iter().peekable(), 0);
        self.depth -= 1;
        result
    }

    /// Reads operators that bind at least as tightly as `least`.
    fn operation<'p>(&mut self, parts: &mut Peekable<std::vec::IntoIter<Pair<'p, Rule>>>, least: u8) -> Expr {
        let Some(first) = parts.next() else {
            return Expr { kind: ExprKind::Error, span: self.place.span(0, 0) };
        };
        let mut left = if first.as_rule() == Rule::negation {
            let not = self.span(&first);
            if first.as_str() == "!" {
                slips::operator(self, not, "!", "not ");
            }
            let inner = self.operation(parts, COMPARE);
            Expr { span: not.to(inner.span), kind: ExprKind::Not(Box::new(inner)) }
        } else {
            self.value(first)
        };
        let mut compared = false;
        while let Some(next) = parts.peek() {
            let (op, level, mistaken) = operator(next.as_str());
            if level < least {
                break;
            }
            let at = self.span(next);
            if let Some(right) = mistaken {
                slips::operator(self, at, next.as_str(), right);
            }
            parts.next();
            let right = self.operation(parts, level + 1);
            if level == COMPARE && std::mem::replace(&mut compared, true) {
                slips::chained(self, at);
                left = Expr { kind: ExprKind::Error, span: left.span.to(right.span) };
                continue;
            }
            let span = left.span.to(right.span);
            left = Expr { kind: ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, span };
        }
        left
    }
}

/// More operators (and operands) than anybody writes into one condition.
const MAX_OPERATORS: usize = 256;

/// How tightly comparisons bind: more than `and`, less than `&`.
const COMPARE: u8 = 2;

/// An operator, how tightly it binds, and what to write in place of one that is not of this language.
fn operator(text: &str) -> (BinaryOp, u8, Option<&'static str>) {
    match text {
        "or" => (BinaryOp::Or, 0, None),
        "||" => (BinaryOp::Or, 0, Some("or")),
        "and" => (BinaryOp::And, 1, None),
        "&&" => (BinaryOp::And, 1, Some("and")),
        "=" => (BinaryOp::Eq, COMPARE, Some("==")),
        "==" => (BinaryOp::Eq, COMPARE, None),
        "!=" => (BinaryOp::Ne, COMPARE, None),
        "<" => (BinaryOp::Lt, COMPARE, None),
        "<=" => (BinaryOp::Le, COMPARE, None),
        ">" => (BinaryOp::Gt, COMPARE, None),
        ">=" => (BinaryOp::Ge, COMPARE, None),
        "&" => (BinaryOp::Mask, 3, None),
        _ => (BinaryOp::In, COMPARE, None),
    }
}

fn escape(text: &str) -> Option<char> {
    match text {
        "\\n" => Some('\n'),
        "\\t" => Some('\t'),
        "\\r" => Some('\r'),
        "\\\\" => Some('\\'),
        "\\\"" => Some('"'),
        "\\$" => Some('$'),
        _ => {
            let digits = text.strip_prefix("\\u{")?.trim_end_matches('}');
            u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).filter(|it| *it != '\0')
        }
    }
}

fn push_text(parts: &mut Vec<StrPart>, text: &str) {
    match parts.last_mut() {
        Some(StrPart::Text(before)) => before.push_str(text),
        _ => parts.push(StrPart::Text(text.to_string())),
    }
}
