//! Trees of texts that were read lately: a language server reads the same texts again and again, after every key of every file, and
//! two of its answers to one text want the same tree.
//!
//! Nothing is kept unless [`keep`] was called on the thread. A tree depends on its text and on the number of its file alone, which
//! stands in its spans; so a text that is found here is what reading it once more would give. Where the text is not found, the one
//! that was read last of that file is mended (`splice`), if it differs in one place.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::ast::File;
use super::balance::is_whole;
use super::parse::{read, read_lines};
use super::splice::splice;
use crate::source::FileId;

#[derive(Default)]
struct Kept {
    /// How many for one number of a file.
    most: usize,
    /// The one that was wanted last is the first.
    trees: VecDeque<Tree>,
}

struct Tree {
    file: FileId,
    text: Rc<str>,
    /// Whether its brackets and quotes are in order, without which its tree is not mended.
    is_whole: bool,
    tree: Rc<File>,
}

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::default();
}

/// From now on this thread keeps the trees of whole files: of each number of a file as many, those of the latest texts.
pub fn keep(most: usize) {
    KEPT.with_borrow_mut(|kept| *kept = Kept { most, ..Kept::default() });
}

/// The tree of a text without its first bytes.
pub(super) fn tree(file: FileId, text: &str, skip: usize) -> Rc<File> {
    KEPT.with_borrow_mut(|kept| {
        if kept.most == 0 {
            return Rc::new(read(text, file, skip..text.len()));
        }
        let known = kept.trees.iter().position(|it| it.file == file && *it.text == *text);
        let it = known.and_then(|at| kept.trees.remove(at)).unwrap_or_else(|| {
            let is_whole = is_whole(text);
            let mended = if is_whole { kept.mended(file, text, skip) } else { None };
            let tree = mended.unwrap_or_else(|| Rc::new(read(text, file, skip..text.len())));
            Tree { file, text: text.into(), is_whole, tree }
        });
        let tree = it.tree.clone();
        kept.add(it);
        tree
    })
}

impl Kept {
    fn add(&mut self, tree: Tree) {
        let of_file = self.trees.iter().enumerate().filter(|(_, it)| it.file == tree.file).map(|(at, _)| at);
        if let Some(last) = of_file.clone().next_back().filter(|_| of_file.count() >= self.most) {
            self.trees.remove(last);
        }
        self.trees.push_front(tree);
    }

    /// The latest tree of the file, made that of this text, which is whole; it is no longer that of its own.
    fn mended(&mut self, file: FileId, text: &str, skip: usize) -> Option<Rc<File>> {
        let at = self.trees.iter().position(|it| it.file == file)?;
        let Tree { text: old, is_whole, tree, .. } = &self.trees[at];
        if tree.span.start as usize != skip || !is_whole {
            return None;
        }
        let splice = splice(old, tree, text, |range, within| read_lines(text, file, range, within))?;
        let mut tree = self.trees.remove(at)?.tree;
        splice.apply(Rc::make_mut(&mut tree));
        Some(tree)
    }
}

#[cfg(test)]
mod tests {
    use crate::source::Files;
    use crate::syntax::{keep, parse};

    #[test]
    fn a_tree_that_is_kept_is_that_of_the_text() {
        let mut files = Files::new();
        let texts =
            ["sandbox a {\n  run = [\"/bin/a\"]\n}\n", "sandbox b {\n", "sandbox a {\n  run = [\"/bin/a\"]\n}\n"];
        let ids = texts.map(|text| files.add("x.nsl", text.to_string()));
        let show = || ids.map(|id| format!("{:?}", parse(&files, id)));
        let plain = show();
        keep(1);
        assert_eq!(show(), plain);
        assert_eq!(show(), plain, "now they are kept, as far as there is room");
        keep(0);
        assert_eq!(show(), plain);
    }
}
