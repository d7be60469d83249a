//! Texts and what is said of them: every case is a `.nsl` file with its rendered findings beside it.
