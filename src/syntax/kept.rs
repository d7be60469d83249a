//! Trees of texts that were read lately: a language server reads the same texts again and again, after every key of every file, and
//! two of its answers to one text want the same tree.
//!
//! Nothing is kept unless [`keep`] was called on the thread. A tree depends on its text and on the number of its file alone, which
//! stands in its spans; so a text that is found here is what reading it once more would give.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::ast::File;
use crate::source::FileId;

#[derive(Default)]
struct Kept {
    /// How many for one number of a file.
    most: usize,
    /// The one that was wanted last is the first.
    trees: VecDeque<(FileId, Rc<str>, Rc<File>)>,
}

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::default();
}

/// From now on this thread keeps the trees of whole files: of each number of a file as many, those of the latest texts.
pub fn keep(most: usize) {
    KEPT.with_borrow_mut(|kept| *kept = Kept { most, ..Kept::default() });
}

/// The tree of a text, or what `read` makes of it.
pub(super) fn tree(file: FileId, text: &str, read: impl FnOnce() -> File) -> File {
    let known = KEPT.with_borrow_mut(|kept| {
        let at = kept.trees.iter().position(|(id, known, _)| *id == file && **known == *text)?;
        let found = kept.trees.remove(at)?;
        let tree = found.2.clone();
        kept.trees.push_front(found);
        Some(tree)
    });
    if let Some(tree) = known {
        return File::clone(&tree);
    }
    let tree = read();
    KEPT.with_borrow_mut(|kept| {
        if kept.most == 0 {
            return;
        }
        let of_file = kept.trees.iter().enumerate().filter(|(_, it)| it.0 == file).map(|(at, _)| at);
        if let Some(last) = of_file.clone().next_back().filter(|_| of_file.count() >= kept.most) {
            kept.trees.remove(last);
        }
        kept.trees.push_front((file, text.into(), Rc::new(tree.clone())));
    });
    tree
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
