//! What begins with a digit: integers, quantities, ports and addresses, told apart by what is in them.

use super::ast::ExprKind;

/// What a token that begins with a digit (after a sign or a point) is; what is wrong with it otherwise.
pub(super) fn number(text: &str) -> Result<ExprKind, Wrong> {
    let bytes = text.as_bytes();
    if bytes.iter().all(u8::is_ascii_digit) {
        return integer(text, 10);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return integer(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return integer(digits, 8);
    }
    if bytes.contains(&b':') {
        return match text.split_once(':') {
            Some((host, _)) if host.contains('.') => Err(Wrong::AddressWithPort),
            _ => Ok(ExprKind::Address(text.to_string())),
        };
    }
    if let Some((before, behind)) = text.split_once('/') {
        return port_or_network(text, before, behind);
    }
    if text.matches('.').count() == 3 && bytes.iter().all(|it| it.is_ascii_digit() || *it == b'.') {
        return Ok(ExprKind::Address(text.to_string()));
    }
    quantity(text)
}

/// What is wrong with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Does not fit.
    TooLarge,
    /// A digit that the base does not have, or none.
    Digit,
    /// `10.0.0.1:80`
    AddressWithPort,
    /// `443/`, `10.0.0.0/x`
    Slash,
    /// `+5`
    Plus,
    /// `.5`, `5.`
    Point,
    /// `1.5`
    Fraction,
    /// `1_000`
    Underscore,
    /// `1e6`
    Exponent,
    /// `1.2.3`, `12-13`
    Other,
}

fn integer(digits: &str, base: u32) -> Result<ExprKind, Wrong> {
    if digits.is_empty() || !digits.chars().all(|it| it.is_digit(base)) {
        return Err(if digits.contains('_') { Wrong::Underscore } else { Wrong::Digit });
    }
    i128::from_str_radix(digits, base).map(ExprKind::Int).map_err(|_| Wrong::TooLarge)
}

fn port_or_network(text: &str, before: &str, behind: &str) -> Result<ExprKind, Wrong> {
    let is_address = before.contains('.');
    let digits = |it: &str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit());
    if is_address && digits(behind) && before.split('.').all(digits) {
        return Ok(ExprKind::Address(text.to_string()));
    }
    if digits(before) && !behind.is_empty() && behind.bytes().all(|it| it.is_ascii_alphabetic()) {
        let number = before.parse().unwrap_or(u64::MAX);
        return Ok(ExprKind::Port { number, protocol: behind.to_string() });
    }
    Err(Wrong::Slash)
}

fn quantity(text: &str) -> Result<ExprKind, Wrong> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let end = unsigned.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(unsigned.len());
    let (digits, unit) = unsigned.split_at(end);
    if unsigned.starts_with('+') {
        return Err(Wrong::Plus);
    }
    if unit.contains('_') {
        return Err(Wrong::Underscore);
    }
    if digits.starts_with('.') || digits.ends_with('.') {
        return Err(Wrong::Point);
    }
    if unit.strip_prefix(['e', 'E']).is_some_and(|it| it.ends_with(|last: char| last.is_ascii_digit())) {
        return Err(Wrong::Exponent);
    }
    if digits.matches('.').count() > 1 || unit != "%" && !unit.bytes().all(|it| it.is_ascii_alphabetic()) {
        return Err(Wrong::Other);
    }
    if unit.is_empty() && digits.contains('.') {
        return Err(Wrong::Fraction);
    }
    if unit.is_empty() {
        return integer(digits, 10).map(|it| match it {
            ExprKind::Int(number) => ExprKind::Int(-number),
            other => other,
        });
    }
    let number = text[..text.len() - unit.len()].to_string();
    Ok(ExprKind::Quantity { number, unit: unit.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match number(text) {
            Ok(ExprKind::Int(it)) => format!("{it}"),
            Ok(ExprKind::Quantity { number, unit }) => format!("{number} {unit}"),
            Ok(ExprKind::Port { number, protocol }) => format!("{number}/{protocol}"),
            Ok(ExprKind::Address(it)) => format!("at {it}"),
            Ok(other) => format!("{other:?}"),
            Err(wrong) => format!("{wrong:?}"),
        }
    }

    #[test]
    fn tokens_are_told_apart() {
        for (text, expected) in [
            ("64", "64"),
            ("-2", "-2"),
            ("0o755", "493"),
            ("0x1F", "31"),
            ("64MiB", "64 MiB"),
            ("1.5s", "1.5 s"),
            ("-1d", "-1 d"),
            ("50%", "50 %"),
            ("443/tcp", "443/tcp"),
            ("99999999999999999999/tcp", "18446744073709551615/tcp"),
            ("10.0.0.1", "at 10.0.0.1"),
            ("10.0.0.0/8", "at 10.0.0.0/8"),
            ("2001:db8::1/64", "at 2001:db8::1/64"),
            ("99999999999999999999999999999999999999999", "TooLarge"),
            ("0o89", "Digit"),
            ("0x", "Digit"),
            ("0xfg", "Digit"),
            ("10.0.0.1:80", "AddressWithPort"),
            ("443/", "Slash"),
            ("10.0.0.0/x", "Slash"),
            ("443/tcp/udp", "Slash"),
            ("-443/tcp", "Slash"),
            ("+5", "Plus"),
            (".5", "Point"),
            ("5.", "Point"),
            ("-.5s", "Point"),
            ("1.5", "Fraction"),
            ("1_000", "Underscore"),
            ("0x1_0", "Underscore"),
            ("1e6", "Exponent"),
            ("10.0.0", "Other"),
            ("0b11", "Other"),
            ("1-2", "Other"),
            ("5%%", "Other"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
