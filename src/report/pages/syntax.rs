//! Pages: texts that cannot be read.

use super::{Page, Severity};

const fn page(
    code: &'static str,
    title: &'static str,
    text: &'static str,
    wrong: &'static str,
    right: &'static str,
) -> Page {
    Page { code, severity: Severity::Error, title, text, wrong, right }
}

pub(super) const PAGES: &[Page] = &[
    page(
        "syntax",
        "a line that cannot be read",
        "A statement is `NAME LABELS = VALUE { … }`, one a line. The finding marks the first place that fits no statement and \
         says what could have stood there. The other lines of the file are read all the same.",
        "sandbox a {\n  run == [\"/bin/true\"]\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n}\n",
    ),
    page(
        "unclosed-block",
        "a block without its closing brace",
        "Every `{` needs its `}`. Where one is missing, the indentation tells which block should have ended where: a line that is \
         indented no more than the line on which a block was opened stands outside of it. The rest of the file is read as if the \
         `}` stood there.",
        "sandbox a {\n  mnt new {\n    root = host(ro)\n  run = [\"/bin/true\"]\n}\n",
        "sandbox a {\n  mnt new {\n    root = host(ro)\n  }\n  run = [\"/bin/true\"]\n}\n",
    ),
    page(
        "unopened-block",
        "a block without its opening brace",
        "A line that is indented more than the one before it stands in a block, and a `}` follows that closes one: the `{` between the \
         two is missing. It stands at the end of the line that opens the block.",
        "profile p\n  user new\n}\n",
        "profile p {\n  user new\n}\n",
    ),
    page(
        "unclosed-bracket",
        "a parenthesis or bracket without its partner",
        "Lists and arguments may go over several lines, but not over the end of the block that they stand in, and each is closed by a \
         bracket of its own kind.",
        "sandbox a {\n  run = [\"/bin/true\"\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n}\n",
    ),
    page(
        "stray-brace",
        "a closing bracket that closes nothing",
        "It has no opening partner: one was deleted, or this one is left over.",
        "sandbox a {\n  run = [\"/bin/true\"]\n}\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n}\n",
    ),
    page(
        "unclosed-string",
        "a string that lacks one of its quotes",
        "A string stands between straight double quotes on one line; `\\n` in it begins a new line. Where a line has an odd number of \
         quotes, the first one is blamed that stands where it cannot be what it seems.",
        "sandbox a {\n  env NAME = \"web\n}\n",
        "sandbox a {\n  env NAME = \"web\"\n}\n",
    ),
    page(
        "bad-escape",
        "an unknown escape or reference in a string",
        "The escapes are \\n \\t \\r \\\\ \\\" \\$ and \\u{…} with a hexadecimal code point. A backslash itself is written `\\\\`. NUL \
         cannot be written: no argument, variable or path of Linux can hold it. `${name}` stands for the value of a parameter or a \
         `let`, without spaces; the two characters themselves are written `\\${`.",
        "sandbox a {\n  run = [\"/bin/echo\", \"a\\qb\"]\n}\n",
        "sandbox a {\n  run = [\"/bin/echo\", \"a\\\\qb\"]\n}\n",
    ),
    page(
        "bad-number",
        "a number that is none",
        "Numbers are decimal, octal with `0o` or hexadecimal with `0x`, and fit in 127 bits. A unit stands right behind its number: \
         `64MiB`, `1.5s`, `50%`. A port is `443/tcp`, an address `10.0.0.2`, a network `10.0.0.0/8`. There are no digit groups, \
         no exponents and no plus sign: one way to write a number.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  limits {\n    nofile = 0o89\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  limits {\n    nofile = 0o77\n  }\n}\n",
    ),
    page(
        "nested-too-deep",
        "brackets are nested too deep",
        "Blocks, lists and parentheses are nested at most 64 deep, so that no text can exhaust the memory of whoever checks it. \
         Policies need four or five levels.",
        "",
        "",
    ),
    page(
        "too-many-errors",
        "more findings than anybody reads",
        "The first 50 findings about the syntax of a file are shown. So many have few causes: mend the first ones and check again. \
         Where the file is no policy at all, none of them means much.",
        "",
        "",
    ),
    page(
        "reserved-word",
        "a word that is kept for a later edition",
        "`test`, `expect` and `rule` will mean something in a later edition of the language; a policy that used them now would \
         change its meaning then.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  test x\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n}\n",
    ),
    page(
        "several-statements",
        "two statements on one line",
        "One statement, one line: so a change in a review is the change of one statement. `;` separates nothing.",
        "sandbox a {\n  run = [\"/bin/true\"];\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n}\n",
    ),
    page(
        "unknown-edition",
        "an edition that this version does not know",
        "A file may begin with `nsl 1`, the edition of the language that it is written in. This version knows edition 1.",
        "nsl 7\nsandbox a {\n  run = [\"/bin/true\"]\n}\n",
        "nsl 1\nsandbox a {\n  run = [\"/bin/true\"]\n}\n",
    ),
    page(
        "unexpected-character",
        "a character that has no meaning here",
        "Outside strings and comments a policy is ASCII, so that nothing in it can look like something else. Curly quotes and \
         unbreakable spaces come from word processors and web pages; letters with accents, and paths with them, belong between quotes.",
        "sandbox a {\n  run = [‘/bin/true’]\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n}\n",
    ),
];
