//! A fact that is read from the machine when somebody asks for it first.
//!
//! Most policies are about few of the facts, and each costs system calls, which every run would wait for. Such a fact is data like any
//! other to those who look at it: it is the same whether it was read early or late, and comparing, copying or writing it down reads it.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that is known, or how it is found out.
pub struct Later<T> {
    value: OnceLock<T>,
    find: fn() -> T,
}

impl<T> Later<T> {
    /// A fact of this machine, which `find` reads.
    pub fn read(find: fn() -> T) -> Later<T> {
        Later { value: OnceLock::new(), find }
    }
}

impl<T> Deref for Later<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.get_or_init(self.find)
    }
}

impl<T> DerefMut for Later<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.get_or_init(self.find);
        // `get_or_init` has just filled it.
        self.value.get_mut().expect("the value is there")
    }
}

impl<T: Default> From<T> for Later<T> {
    /// A fact that is known.
    fn from(value: T) -> Later<T> {
        Later { value: OnceLock::from(value), find: T::default }
    }
}

impl<T: Default> Default for Later<T> {
    fn default() -> Later<T> {
        T::default().into()
    }
}

impl<T: Clone> Clone for Later<T> {
    fn clone(&self) -> Later<T> {
        // Read first: a copy that reads for itself could find something else.
        Later { value: OnceLock::from((**self).clone()), find: self.find }
    }
}

impl<T: PartialEq> PartialEq for Later<T> {
    fn eq(&self, other: &Later<T>) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Later<T> {}

impl<T: fmt::Debug> fmt::Debug for Later<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Serialize> Serialize for Later<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de, T: Default + Deserialize<'de>> Deserialize<'de> for Later<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Later<T>, D::Error> {
        T::deserialize(deserializer).map(Later::from)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn it_is_read_once_and_when_it_is_asked_for() {
        static READ: AtomicU32 = AtomicU32::new(0);
        let mut fact = Later::read(|| READ.fetch_add(1, Ordering::Relaxed) + 41);
        assert_eq!(READ.load(Ordering::Relaxed), 0);
        assert_eq!((*fact, *fact, *fact.clone()), (41, 41, 41));
        assert_eq!(READ.load(Ordering::Relaxed), 1);
        *fact += 1;
        assert_eq!(fact, 42.into());
        assert_eq!(serde_json::to_string(&fact).expect("a number"), "42");
        assert_eq!(serde_json::from_str::<Later<u32>>("42").expect("a number"), fact);
    }
}
