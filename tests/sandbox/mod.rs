//! Real sandboxes, really run, as root and as an unprivileged user.
