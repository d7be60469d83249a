//! NSL for tree-sitter: the grammar, and the queries that editors share.
//!
//! ```
//! let mut parser = tree_sitter::Parser::new();
//! parser.set_language(&tree_sitter_nsl::LANGUAGE.into()).expect("a version that tree-sitter reads");
//! let tree = parser.parse("sandbox a {\n  user new\n}\n", None).expect("nothing stops it");
//! assert!(!tree.root_node().has_error());
//! ```

use tree_sitter_language::LanguageFn;

unsafe extern "C" {
    fn tree_sitter_nsl() -> *const ();
}

/// The grammar.
// SAFETY: the function is the generated parser's own, takes nothing and returns a table that is never freed.
pub const LANGUAGE: LanguageFn = unsafe { LanguageFn::from_raw(tree_sitter_nsl) };

/// What is coloured how.
pub const HIGHLIGHTS_QUERY: &str = include_str!("../../queries/highlights.scm");
/// Languages inside NSL.
pub const INJECTIONS_QUERY: &str = include_str!("../../queries/injections.scm");
/// Which name is declared where.
pub const LOCALS_QUERY: &str = include_str!("../../queries/locals.scm");
/// What can be folded.
pub const FOLDS_QUERY: &str = include_str!("../../queries/folds.scm");
/// What is indented.
pub const INDENTS_QUERY: &str = include_str!("../../queries/indents.scm");
/// Declarations and what refers to them.
pub const TAGS_QUERY: &str = include_str!("../../queries/tags.scm");

/// What every node may hold, as `tree-sitter generate` writes it.
pub const NODE_TYPES: &str = include_str!("../../src/node-types.json");
