;;; nsl-mode.el --- Major mode for NSL, sandboxes as code  -*- lexical-binding: t; -*-

;; Version: 0.1.0
;; Package-Requires: ((emacs "27.1"))
;; Keywords: languages
;; SPDX-License-Identifier: MIT OR Apache-2.0

;;; Commentary:

;; Colours, indentation, an index, the findings of `nsl check' while one types (Flymake), the layout of `nsl fmt', and the
;; language server `nsl lsp' where Eglot is there.  Where Emacs has tree-sitter and the grammar is installed,
;; `nsl-ts-mode' colours by the tree.
;;
;;     (add-to-list 'load-path "/path/to/nsl/editors/emacs")
;;     (require 'nsl-mode)
;;
;; Only words that the language knows have a colour, so that a slip is seen.

;;; Code:

(require 'compile)
(require 'flymake)
(require 'subr-x)

(defgroup nsl nil
  "Policies of NSL."
  :group 'languages
  :prefix "nsl-")

(defcustom nsl-command "nsl"
  "The program that checks and formats policies, and is the language server."
  :type 'string)

(defcustom nsl-indent-offset 2
  "Columns of one step of indentation.  `nsl fmt' knows only 2."
  :type 'integer
  :safe #'integerp)

(defcustom nsl-format-on-save nil
  "Whether a policy is laid out by `nsl fmt' when it is saved."
  :type 'boolean
  :safe #'booleanp)

;; words: begin
(defconst nsl--arguments
  '("address" "backoff" "bridge" "count" "digest" "fd" "hidepid" "inodes" "level" "lower" "max" "mode" "mtu"
    "netns" "parent" "path" "peer" "peer-address" "period" "pid" "pod" "port" "priority" "propagation" "rbps"
    "recursive" "riops" "sandbox" "size" "subset" "upper" "wbps" "wiops" "within" "work")
  "The arguments of the language.")

(defconst nsl--capabilities
  '("audit_control" "audit_read" "audit_write" "block_suspend" "bpf" "checkpoint_restore" "chown"
    "dac_override" "dac_read_search" "fowner" "fsetid" "ipc_lock" "ipc_owner" "kill" "lease" "linux_immutable"
    "mac_admin" "mac_override" "mknod" "net_admin" "net_bind_service" "net_broadcast" "net_raw" "perfmon"
    "setfcap" "setgid" "setpcap" "setuid" "sys_admin" "sys_boot" "sys_chroot" "sys_module" "sys_nice"
    "sys_pacct" "sys_ptrace" "sys_rawio" "sys_resource" "sys_time" "sys_tty_config" "syslog" "wake_alarm")
  "The capabilities of the language.")

(defconst nsl--constants
  '("ADDR_COMPAT_LAYOUT" "ADDR_LIMIT_32BIT" "ADDR_LIMIT_3GB" "ADDR_NO_RANDOMIZE" "AF_ALG" "AF_APPLETALK"
    "AF_ASH" "AF_ATMPVC" "AF_ATMSVC" "AF_AX25" "AF_BLUETOOTH" "AF_BRIDGE" "AF_CAIF" "AF_CAN" "AF_ECONET"
    "AF_IB" "AF_IEEE802154" "AF_INET" "AF_INET6" "AF_IPX" "AF_IRDA" "AF_ISDN" "AF_IUCV" "AF_KCM" "AF_KEY"
    "AF_LLC" "AF_LOCAL" "AF_MCTP" "AF_MPLS" "AF_NETBEUI" "AF_NETLINK" "AF_NETROM" "AF_NFC" "AF_PACKET"
    "AF_PHONET" "AF_PPPOX" "AF_QIPCRTR" "AF_RDS" "AF_ROSE" "AF_ROUTE" "AF_RXRPC" "AF_SECURITY" "AF_SMC"
    "AF_SNA" "AF_TIPC" "AF_UNIX" "AF_UNSPEC" "AF_VSOCK" "AF_WANPIPE" "AF_X25" "AF_XDP" "ARCH_GET_CPUID"
    "ARCH_GET_FS" "ARCH_GET_GS" "ARCH_SET_CPUID" "ARCH_SET_FS" "ARCH_SET_GS" "ARCH_SHSTK_DISABLE"
    "ARCH_SHSTK_ENABLE" "ARCH_SHSTK_LOCK" "ARCH_SHSTK_STATUS" "ARCH_SHSTK_UNLOCK" "AT_EACCESS" "AT_EMPTY_PATH"
    "AT_EXECVE_CHECK" "AT_FDCWD" "AT_HANDLE_FID" "AT_NO_AUTOMOUNT" "AT_RECURSIVE" "AT_REMOVEDIR"
    "AT_STATX_DONT_SYNC" "AT_STATX_FORCE_SYNC" "AT_STATX_SYNC_AS_STAT" "AT_STATX_SYNC_TYPE"
    "AT_SYMLINK_FOLLOW" "AT_SYMLINK_NOFOLLOW" "BLKALIGNOFF" "BLKBSZGET" "BLKBSZSET" "BLKDISCARD"
    "BLKDISCARDZEROES" "BLKFLSBUF" "BLKFRAGET" "BLKFRASET" "BLKGETDISKSEQ" "BLKGETSIZE" "BLKGETSIZE64"
    "BLKIOMIN" "BLKIOOPT" "BLKPBSZGET" "BLKRAGET" "BLKRASET" "BLKROGET" "BLKROSET" "BLKROTATIONAL" "BLKRRPART"
    "BLKSECDISCARD" "BLKSECTGET" "BLKSECTSET" "BLKSSZGET" "BLKTRACESETUP" "BLKTRACESTART" "BLKTRACESTOP"
    "BLKTRACETEARDOWN" "BLKZEROOUT" "BPF_BTF_LOAD" "BPF_LINK_CREATE" "BPF_MAP_CREATE" "BPF_MAP_DELETE_ELEM"
    "BPF_MAP_GET_NEXT_KEY" "BPF_MAP_LOOKUP_ELEM" "BPF_MAP_UPDATE_ELEM" "BPF_OBJ_GET" "BPF_OBJ_GET_INFO_BY_FD"
    "BPF_OBJ_PIN" "BPF_PROG_ATTACH" "BPF_PROG_DETACH" "BPF_PROG_LOAD" "BPF_PROG_QUERY" "BPF_PROG_TEST_RUN"
    "BPF_TOKEN_CREATE" "CLOCK_BOOTTIME" "CLOCK_BOOTTIME_ALARM" "CLOCK_MONOTONIC" "CLOCK_MONOTONIC_COARSE"
    "CLOCK_MONOTONIC_RAW" "CLOCK_PROCESS_CPUTIME_ID" "CLOCK_REALTIME" "CLOCK_REALTIME_ALARM"
    "CLOCK_REALTIME_COARSE" "CLOCK_TAI" "CLOCK_THREAD_CPUTIME_ID" "CLONE_CHILD_CLEARTID" "CLONE_CHILD_SETTID"
    "CLONE_CLEAR_SIGHAND" "CLONE_DETACHED" "CLONE_FILES" "CLONE_FS" "CLONE_INTO_CGROUP" "CLONE_IO"
    "CLONE_NEWCGROUP" "CLONE_NEWIPC" "CLONE_NEWNET" "CLONE_NEWNS" "CLONE_NEWPID" "CLONE_NEWTIME"
    "CLONE_NEWUSER" "CLONE_NEWUTS" "CLONE_PARENT" "CLONE_PARENT_SETTID" "CLONE_PIDFD" "CLONE_PTRACE"
    "CLONE_SETTLS" "CLONE_SIGHAND" "CLONE_SYSVSEM" "CLONE_THREAD" "CLONE_UNTRACED" "CLONE_VFORK" "CLONE_VM"
    "CLOSE_RANGE_CLOEXEC" "CLOSE_RANGE_UNSHARE" "E2BIG" "EACCES" "EADDRINUSE" "EADDRNOTAVAIL" "EADV"
    "EAFNOSUPPORT" "EAGAIN" "EALREADY" "EBADE" "EBADF" "EBADFD" "EBADMSG" "EBADR" "EBADRQC" "EBADSLT" "EBFONT"
    "EBUSY" "ECANCELED" "ECHILD" "ECHRNG" "ECOMM" "ECONNABORTED" "ECONNREFUSED" "ECONNRESET" "EDEADLK"
    "EDEADLOCK" "EDESTADDRREQ" "EDOM" "EDOTDOT" "EDQUOT" "EEXIST" "EFAULT" "EFBIG" "EFD_CLOEXEC"
    "EFD_NONBLOCK" "EFD_SEMAPHORE" "EHOSTDOWN" "EHOSTUNREACH" "EHWPOISON" "EIDRM" "EILSEQ" "EINPROGRESS"
    "EINTR" "EINVAL" "EIO" "EISCONN" "EISDIR" "EISNAM" "EKEYEXPIRED" "EKEYREJECTED" "EKEYREVOKED" "EL2HLT"
    "EL2NSYNC" "EL3HLT" "EL3RST" "ELIBACC" "ELIBBAD" "ELIBEXEC" "ELIBMAX" "ELIBSCN" "ELNRNG" "ELOOP"
    "EMEDIUMTYPE" "EMFILE" "EMLINK" "EMSGSIZE" "EMULTIHOP" "ENAMETOOLONG" "ENAVAIL" "ENETDOWN" "ENETRESET"
    "ENETUNREACH" "ENFILE" "ENOANO" "ENOBUFS" "ENOCSI" "ENODATA" "ENODEV" "ENOENT" "ENOEXEC" "ENOKEY" "ENOLCK"
    "ENOLINK" "ENOMEDIUM" "ENOMEM" "ENOMSG" "ENONET" "ENOPKG" "ENOPROTOOPT" "ENOSPC" "ENOSR" "ENOSTR" "ENOSYS"
    "ENOTBLK" "ENOTCONN" "ENOTDIR" "ENOTEMPTY" "ENOTNAM" "ENOTRECOVERABLE" "ENOTSOCK" "ENOTSUP" "ENOTTY"
    "ENOTUNIQ" "ENXIO" "EOPNOTSUPP" "EOVERFLOW" "EOWNERDEAD" "EPERM" "EPFNOSUPPORT" "EPIPE" "EPOLL_CLOEXEC"
    "EPOLL_CTL_ADD" "EPOLL_CTL_DEL" "EPOLL_CTL_MOD" "EPROTO" "EPROTONOSUPPORT" "EPROTOTYPE" "ERANGE" "EREMCHG"
    "EREMOTE" "EREMOTEIO" "ERESTART" "ERFKILL" "EROFS" "ESHUTDOWN" "ESOCKTNOSUPPORT" "ESPIPE" "ESRCH" "ESRMNT"
    "ESTALE" "ESTRPIPE" "ETIME" "ETIMEDOUT" "ETOOMANYREFS" "ETXTBSY" "EUCLEAN" "EUNATCH" "EUSERS"
    "EWOULDBLOCK" "EXDEV" "EXFULL" "FALLOC_FL_COLLAPSE_RANGE" "FALLOC_FL_INSERT_RANGE" "FALLOC_FL_KEEP_SIZE"
    "FALLOC_FL_PUNCH_HOLE" "FALLOC_FL_UNSHARE_RANGE" "FALLOC_FL_ZERO_RANGE" "FAN_CLASS_CONTENT"
    "FAN_CLASS_NOTIF" "FAN_CLASS_PRE_CONTENT" "FAN_CLOEXEC" "FAN_CLOSE" "FAN_CLOSE_NOWRITE" "FAN_CLOSE_WRITE"
    "FAN_CREATE" "FAN_NOFD" "FAN_NONBLOCK" "FAN_NOPIDFD" "FAN_UNLIMITED_MARKS" "FAN_UNLIMITED_QUEUE"
    "FDPIC_FUNCPTRS" "FD_CLOEXEC" "FICLONE" "FICLONERANGE" "FIOASYNC" "FIOCLEX" "FIOGETOWN" "FIONBIO"
    "FIONCLEX" "FIONREAD" "FIOQSIZE" "FIOSETOWN" "FSMOUNT_CLOEXEC" "FSOPEN_CLOEXEC"
    "FS_IOC_ADD_ENCRYPTION_KEY" "FS_IOC_FIEMAP" "FS_IOC_FSGETXATTR" "FS_IOC_FSSETXATTR" "FS_IOC_GETFLAGS"
    "FS_IOC_GETFSLABEL" "FS_IOC_GETVERSION" "FS_IOC_GET_ENCRYPTION_KEY_STATUS" "FS_IOC_GET_ENCRYPTION_NONCE"
    "FS_IOC_GET_ENCRYPTION_POLICY" "FS_IOC_GET_ENCRYPTION_POLICY_EX" "FS_IOC_GET_ENCRYPTION_PWSALT"
    "FS_IOC_REMOVE_ENCRYPTION_KEY" "FS_IOC_REMOVE_ENCRYPTION_KEY_ALL_USERS" "FS_IOC_SETFLAGS"
    "FS_IOC_SETFSLABEL" "FS_IOC_SETVERSION" "FS_IOC_SET_ENCRYPTION_POLICY" "FUTEX_BITSET_MATCH_ANY"
    "FUTEX_CLOCK_REALTIME" "FUTEX_CMD_MASK" "FUTEX_CMP_REQUEUE" "FUTEX_CMP_REQUEUE_PI"
    "FUTEX_CMP_REQUEUE_PI_PRIVATE" "FUTEX_CMP_REQUEUE_PRIVATE" "FUTEX_FD" "FUTEX_LOCK_PI" "FUTEX_LOCK_PI2"
    "FUTEX_LOCK_PI2_PRIVATE" "FUTEX_LOCK_PI_PRIVATE" "FUTEX_OP_ADD" "FUTEX_OP_ANDN" "FUTEX_OP_CMP_EQ"
    "FUTEX_OP_CMP_GE" "FUTEX_OP_CMP_GT" "FUTEX_OP_CMP_LE" "FUTEX_OP_CMP_LT" "FUTEX_OP_CMP_NE"
    "FUTEX_OP_OPARG_SHIFT" "FUTEX_OP_OR" "FUTEX_OP_SET" "FUTEX_OP_XOR" "FUTEX_OWNER_DIED" "FUTEX_PRIVATE_FLAG"
    "FUTEX_REQUEUE" "FUTEX_REQUEUE_PRIVATE" "FUTEX_ROBUST_LIST32" "FUTEX_ROBUST_UNLOCK" "FUTEX_TID_MASK"
    "FUTEX_TRYLOCK_PI" "FUTEX_TRYLOCK_PI_PRIVATE" "FUTEX_UNLOCK_PI" "FUTEX_UNLOCK_PI_PRIVATE" "FUTEX_WAIT"
    "FUTEX_WAITERS" "FUTEX_WAIT_BITSET" "FUTEX_WAIT_BITSET_PRIVATE" "FUTEX_WAIT_PRIVATE"
    "FUTEX_WAIT_REQUEUE_PI" "FUTEX_WAIT_REQUEUE_PI_PRIVATE" "FUTEX_WAKE" "FUTEX_WAKE_BITSET"
    "FUTEX_WAKE_BITSET_PRIVATE" "FUTEX_WAKE_OP" "FUTEX_WAKE_OP_PRIVATE" "FUTEX_WAKE_PRIVATE" "F_ADD_SEALS"
    "F_CANCELLK" "F_DUPFD" "F_DUPFD_CLOEXEC" "F_GETFD" "F_GETFL" "F_GETLEASE" "F_GETLK" "F_GETOWN"
    "F_GETOWN_EX" "F_GETPIPE_SZ" "F_GETSIG" "F_GET_FILE_RW_HINT" "F_GET_RW_HINT" "F_GET_SEALS" "F_LOCK"
    "F_NOTIFY" "F_OFD_GETLK" "F_OFD_SETLK" "F_OFD_SETLKW" "F_OK" "F_RDLCK" "F_SEAL_EXEC" "F_SEAL_FUTURE_WRITE"
    "F_SEAL_GROW" "F_SEAL_SEAL" "F_SEAL_SHRINK" "F_SEAL_WRITE" "F_SETFD" "F_SETFL" "F_SETLEASE" "F_SETLK"
    "F_SETLKW" "F_SETOWN" "F_SETOWN_EX" "F_SETPIPE_SZ" "F_SETSIG" "F_SET_FILE_RW_HINT" "F_SET_RW_HINT"
    "F_TEST" "F_TLOCK" "F_ULOCK" "F_UNLCK" "F_WRLCK" "GRND_INSECURE" "GRND_NONBLOCK" "GRND_RANDOM" "GRPQUOTA"
    "IN_CLOEXEC" "IN_CLOSE" "IN_CLOSE_NOWRITE" "IN_CLOSE_WRITE" "IN_CREATE" "IN_NONBLOCK" "IPC_CREAT"
    "IPC_EXCL" "IPC_INFO" "IPC_NOWAIT" "IPC_PRIVATE" "IPC_RMID" "IPC_SET" "IPC_STAT" "IPPROTO_AH"
    "IPPROTO_BEETPH" "IPPROTO_COMP" "IPPROTO_DCCP" "IPPROTO_DSTOPTS" "IPPROTO_EGP" "IPPROTO_ENCAP"
    "IPPROTO_ESP" "IPPROTO_ETHERNET" "IPPROTO_FRAGMENT" "IPPROTO_GRE" "IPPROTO_HOPOPTS" "IPPROTO_ICMP"
    "IPPROTO_ICMPV6" "IPPROTO_IDP" "IPPROTO_IGMP" "IPPROTO_IP" "IPPROTO_IPIP" "IPPROTO_IPV6" "IPPROTO_MH"
    "IPPROTO_MPLS" "IPPROTO_MPTCP" "IPPROTO_MTP" "IPPROTO_NONE" "IPPROTO_PIM" "IPPROTO_PUP" "IPPROTO_RAW"
    "IPPROTO_ROUTING" "IPPROTO_RSVP" "IPPROTO_SCTP" "IPPROTO_TCP" "IPPROTO_TP" "IPPROTO_UDP" "IPPROTO_UDPLITE"
    "ITIMER_PROF" "ITIMER_REAL" "ITIMER_VIRTUAL" "KEXEC_ARCH_MASK" "KEXEC_FILE_NO_INITRAMFS"
    "KEXEC_FILE_ON_CRASH" "KEXEC_FILE_UNLOAD" "KEXEC_ON_CRASH" "KEXEC_PRESERVE_CONTEXT"
    "KEYCTL_ASSUME_AUTHORITY" "KEYCTL_CAPABILITIES" "KEYCTL_CHOWN" "KEYCTL_CLEAR" "KEYCTL_DESCRIBE"
    "KEYCTL_DH_COMPUTE" "KEYCTL_GET_KEYRING_ID" "KEYCTL_GET_PERSISTENT" "KEYCTL_GET_SECURITY"
    "KEYCTL_INSTANTIATE" "KEYCTL_INSTANTIATE_IOV" "KEYCTL_INVALIDATE" "KEYCTL_JOIN_SESSION_KEYRING"
    "KEYCTL_LINK" "KEYCTL_MOVE" "KEYCTL_NEGATE" "KEYCTL_PKEY_DECRYPT" "KEYCTL_PKEY_ENCRYPT"
    "KEYCTL_PKEY_QUERY" "KEYCTL_PKEY_SIGN" "KEYCTL_PKEY_VERIFY" "KEYCTL_READ" "KEYCTL_REJECT"
    "KEYCTL_RESTRICT_KEYRING" "KEYCTL_REVOKE" "KEYCTL_SEARCH" "KEYCTL_SESSION_TO_PARENT" "KEYCTL_SETPERM"
    "KEYCTL_SET_REQKEY_KEYRING" "KEYCTL_SET_TIMEOUT" "KEYCTL_UNLINK" "KEYCTL_UPDATE" "KEYCTL_WATCH_KEY"
    "KEY_REQKEY_DEFL_DEFAULT" "KEY_REQKEY_DEFL_GROUP_KEYRING" "KEY_REQKEY_DEFL_NO_CHANGE"
    "KEY_REQKEY_DEFL_PROCESS_KEYRING" "KEY_REQKEY_DEFL_REQUESTOR_KEYRING" "KEY_REQKEY_DEFL_SESSION_KEYRING"
    "KEY_REQKEY_DEFL_THREAD_KEYRING" "KEY_REQKEY_DEFL_USER_KEYRING" "KEY_REQKEY_DEFL_USER_SESSION_KEYRING"
    "KEY_SPEC_GROUP_KEYRING" "KEY_SPEC_PROCESS_KEYRING" "KEY_SPEC_REQKEY_AUTH_KEY"
    "KEY_SPEC_REQUESTOR_KEYRING" "KEY_SPEC_SESSION_KEYRING" "KEY_SPEC_THREAD_KEYRING" "KEY_SPEC_USER_KEYRING"
    "KEY_SPEC_USER_SESSION_KEYRING" "KVM_CREATE_DEVICE" "KVM_CREATE_VCPU" "KVM_CREATE_VM"
    "LANDLOCK_CREATE_RULESET_ERRATA" "LANDLOCK_CREATE_RULESET_VERSION" "LINUX_REBOOT_CMD_CAD_OFF"
    "LINUX_REBOOT_CMD_CAD_ON" "LINUX_REBOOT_CMD_HALT" "LINUX_REBOOT_CMD_KEXEC" "LINUX_REBOOT_CMD_POWER_OFF"
    "LINUX_REBOOT_CMD_RESTART" "LINUX_REBOOT_CMD_RESTART2" "LINUX_REBOOT_CMD_SW_SUSPEND" "LINUX_REBOOT_MAGIC1"
    "LINUX_REBOOT_MAGIC2" "LINUX_REBOOT_MAGIC2A" "LINUX_REBOOT_MAGIC2B" "LINUX_REBOOT_MAGIC2C" "LOCK_EX"
    "LOCK_NB" "LOCK_SH" "LOCK_UN" "MADV_COLD" "MADV_COLLAPSE" "MADV_DODUMP" "MADV_DOFORK" "MADV_DONTDUMP"
    "MADV_DONTFORK" "MADV_DONTNEED" "MADV_DONTNEED_LOCKED" "MADV_FREE" "MADV_HUGEPAGE" "MADV_HWPOISON"
    "MADV_KEEPONFORK" "MADV_MERGEABLE" "MADV_NOHUGEPAGE" "MADV_NORMAL" "MADV_PAGEOUT" "MADV_POPULATE_READ"
    "MADV_POPULATE_WRITE" "MADV_RANDOM" "MADV_REMOVE" "MADV_SEQUENTIAL" "MADV_SOFT_OFFLINE" "MADV_UNMERGEABLE"
    "MADV_WILLNEED" "MADV_WIPEONFORK" "MAP_32BIT" "MAP_ANON" "MAP_ANONYMOUS" "MAP_DENYWRITE" "MAP_DROPPABLE"
    "MAP_EXECUTABLE" "MAP_FIXED" "MAP_FIXED_NOREPLACE" "MAP_GROWSDOWN" "MAP_HUGETLB" "MAP_HUGE_16GB"
    "MAP_HUGE_16MB" "MAP_HUGE_1GB" "MAP_HUGE_1MB" "MAP_HUGE_256MB" "MAP_HUGE_2GB" "MAP_HUGE_2MB"
    "MAP_HUGE_32MB" "MAP_HUGE_512KB" "MAP_HUGE_512MB" "MAP_HUGE_64KB" "MAP_HUGE_8MB" "MAP_HUGE_MASK"
    "MAP_HUGE_SHIFT" "MAP_LOCKED" "MAP_NONBLOCK" "MAP_NORESERVE" "MAP_POPULATE" "MAP_PRIVATE" "MAP_SHARED"
    "MAP_SHARED_VALIDATE" "MAP_STACK" "MAP_SYNC" "MAP_TYPE" "MCL_CURRENT" "MCL_FUTURE" "MCL_ONFAULT"
    "MFD_ALLOW_SEALING" "MFD_CLOEXEC" "MFD_EXEC" "MFD_HUGETLB" "MFD_HUGE_16GB" "MFD_HUGE_16MB" "MFD_HUGE_1GB"
    "MFD_HUGE_1MB" "MFD_HUGE_256MB" "MFD_HUGE_2GB" "MFD_HUGE_2MB" "MFD_HUGE_32MB" "MFD_HUGE_512KB"
    "MFD_HUGE_512MB" "MFD_HUGE_64KB" "MFD_HUGE_8MB" "MFD_HUGE_MASK" "MFD_HUGE_SHIFT" "MFD_NOEXEC_SEAL"
    "MLOCK_ONFAULT" "MMAP_PAGE_ZERO" "MNT_DETACH" "MNT_EXPIRE" "MNT_FORCE" "MNT_NS_INFO_SIZE_VER0"
    "MODULE_INIT_COMPRESSED_FILE" "MODULE_INIT_IGNORE_MODVERSIONS" "MODULE_INIT_IGNORE_VERMAGIC"
    "MOUNT_ATTR_IDMAP" "MOUNT_ATTR_NOATIME" "MOUNT_ATTR_NODEV" "MOUNT_ATTR_NODIRATIME" "MOUNT_ATTR_NOEXEC"
    "MOUNT_ATTR_NOSUID" "MOUNT_ATTR_NOSYMFOLLOW" "MOUNT_ATTR_RDONLY" "MOUNT_ATTR_RELATIME"
    "MOUNT_ATTR_STRICTATIME" "MOVE_MOUNT_BENEATH" "MOVE_MOUNT_F_AUTOMOUNTS" "MOVE_MOUNT_F_EMPTY_PATH"
    "MOVE_MOUNT_F_SYMLINKS" "MOVE_MOUNT_SET_GROUP" "MOVE_MOUNT_T_AUTOMOUNTS" "MOVE_MOUNT_T_EMPTY_PATH"
    "MOVE_MOUNT_T_SYMLINKS" "MPOL_BIND" "MPOL_DEFAULT" "MPOL_F_ADDR" "MPOL_F_MEMS_ALLOWED" "MPOL_F_NODE"
    "MPOL_F_NUMA_BALANCING" "MPOL_F_RELATIVE_NODES" "MPOL_F_STATIC_NODES" "MPOL_INTERLEAVE" "MPOL_LOCAL"
    "MPOL_MF_MOVE" "MPOL_MF_MOVE_ALL" "MPOL_MF_STRICT" "MPOL_PREFERRED" "MREMAP_DONTUNMAP" "MREMAP_FIXED"
    "MREMAP_MAYMOVE" "MSG_CMSG_CLOEXEC" "MSG_CONFIRM" "MSG_COPY" "MSG_CTRUNC" "MSG_DONTROUTE" "MSG_DONTWAIT"
    "MSG_EOR" "MSG_ERRQUEUE" "MSG_EXCEPT" "MSG_FASTOPEN" "MSG_FIN" "MSG_INFO" "MSG_MORE" "MSG_NOERROR"
    "MSG_NOSIGNAL" "MSG_NOTIFICATION" "MSG_OOB" "MSG_PEEK" "MSG_RST" "MSG_STAT" "MSG_SYN" "MSG_TRUNC"
    "MSG_WAITALL" "MSG_WAITFORONE" "MSG_ZEROCOPY" "MS_ACTIVE" "MS_ASYNC" "MS_BIND" "MS_DIRSYNC"
    "MS_INVALIDATE" "MS_I_VERSION" "MS_KERNMOUNT" "MS_LAZYTIME" "MS_MANDLOCK" "MS_MGC_MSK" "MS_MGC_VAL"
    "MS_MOVE" "MS_NOATIME" "MS_NODEV" "MS_NODIRATIME" "MS_NOEXEC" "MS_NOSUID" "MS_NOSYMFOLLOW" "MS_NOUSER"
    "MS_POSIXACL" "MS_PRIVATE" "MS_RDONLY" "MS_REC" "MS_RELATIME" "MS_REMOUNT" "MS_RMT_MASK" "MS_SHARED"
    "MS_SILENT" "MS_SLAVE" "MS_STRICTATIME" "MS_SYNC" "MS_SYNCHRONOUS" "MS_UNBINDABLE"
    "NETLINK_ADD_MEMBERSHIP" "NETLINK_AUDIT" "NETLINK_BROADCAST_ERROR" "NETLINK_CAP_ACK" "NETLINK_CONNECTOR"
    "NETLINK_CRYPTO" "NETLINK_DNRTMSG" "NETLINK_DROP_MEMBERSHIP" "NETLINK_ECRYPTFS" "NETLINK_EXT_ACK"
    "NETLINK_FIB_LOOKUP" "NETLINK_FIREWALL" "NETLINK_GENERIC" "NETLINK_GET_STRICT_CHK" "NETLINK_INET_DIAG"
    "NETLINK_IP6_FW" "NETLINK_ISCSI" "NETLINK_KOBJECT_UEVENT" "NETLINK_LISTEN_ALL_NSID"
    "NETLINK_LIST_MEMBERSHIPS" "NETLINK_NETFILTER" "NETLINK_NFLOG" "NETLINK_NO_ENOBUFS" "NETLINK_PKTINFO"
    "NETLINK_RDMA" "NETLINK_ROUTE" "NETLINK_RX_RING" "NETLINK_SCSITRANSPORT" "NETLINK_SELINUX" "NETLINK_SMC"
    "NETLINK_SOCK_DIAG" "NETLINK_TX_RING" "NETLINK_UNUSED" "NETLINK_USERSOCK" "NETLINK_XFRM" "NS_GET_MNTNS_ID"
    "NS_GET_NSTYPE" "NS_GET_OWNER_UID" "NS_GET_PARENT" "NS_GET_PID_FROM_PIDNS" "NS_GET_PID_IN_PIDNS"
    "NS_GET_TGID_FROM_PIDNS" "NS_GET_TGID_IN_PIDNS" "NS_GET_USERNS" "OPEN_TREE_CLOEXEC" "OPEN_TREE_CLONE"
    "OPEN_TREE_NAMESPACE" "O_ACCMODE" "O_APPEND" "O_ASYNC" "O_CLOEXEC" "O_CREAT" "O_DIRECT" "O_DIRECTORY"
    "O_DSYNC" "O_EXCL" "O_FSYNC" "O_LARGEFILE" "O_NDELAY" "O_NOATIME" "O_NOCTTY" "O_NOFOLLOW" "O_NONBLOCK"
    "O_PATH" "O_RDONLY" "O_RDWR" "O_RSYNC" "O_SYNC" "O_TMPFILE" "O_TRUNC" "O_WRONLY" "PER_BSD" "PER_LINUX"
    "PER_LINUX32" "PER_LINUX32_3GB" "PER_LINUX_32BIT" "PER_MASK" "PER_SVR4" "PIDFD_GET_CGROUP_NAMESPACE"
    "PIDFD_GET_INFO" "PIDFD_GET_IPC_NAMESPACE" "PIDFD_GET_MNT_NAMESPACE" "PIDFD_GET_NET_NAMESPACE"
    "PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE" "PIDFD_GET_PID_NAMESPACE" "PIDFD_GET_TIME_FOR_CHILDREN_NAMESPACE"
    "PIDFD_GET_TIME_NAMESPACE" "PIDFD_GET_USER_NAMESPACE" "PIDFD_GET_UTS_NAMESPACE" "PIDFD_INFO_CGROUPID"
    "PIDFD_INFO_CREDS" "PIDFD_INFO_EXIT" "PIDFD_INFO_PID" "PIDFD_INFO_SIZE_VER0" "PIDFD_NONBLOCK"
    "PIDFD_SIGNAL_PROCESS_GROUP" "PIDFD_SIGNAL_THREAD" "PIDFD_SIGNAL_THREAD_GROUP" "PIDFD_THREAD"
    "POSIX_FADV_DONTNEED" "POSIX_FADV_NOREUSE" "POSIX_FADV_NORMAL" "POSIX_FADV_RANDOM" "POSIX_FADV_SEQUENTIAL"
    "POSIX_FADV_WILLNEED" "PRIO_PGRP" "PRIO_PROCESS" "PRIO_USER" "PROT_EXEC" "PROT_GROWSDOWN" "PROT_GROWSUP"
    "PROT_NONE" "PROT_READ" "PROT_WRITE" "PR_CAPBSET_DROP" "PR_CAPBSET_READ" "PR_CAP_AMBIENT"
    "PR_CAP_AMBIENT_CLEAR_ALL" "PR_CAP_AMBIENT_IS_SET" "PR_CAP_AMBIENT_LOWER" "PR_CAP_AMBIENT_RAISE"
    "PR_ENDIAN_BIG" "PR_ENDIAN_LITTLE" "PR_ENDIAN_PPC_LITTLE" "PR_FPEMU_NOPRINT" "PR_FPEMU_SIGFPE"
    "PR_FP_EXC_ASYNC" "PR_FP_EXC_DISABLED" "PR_FP_EXC_DIV" "PR_FP_EXC_INV" "PR_FP_EXC_NONRECOV"
    "PR_FP_EXC_OVF" "PR_FP_EXC_PRECISE" "PR_FP_EXC_RES" "PR_FP_EXC_SW_ENABLE" "PR_FP_EXC_UND" "PR_FP_MODE_FR"
    "PR_FP_MODE_FRE" "PR_GET_CHILD_SUBREAPER" "PR_GET_DUMPABLE" "PR_GET_ENDIAN" "PR_GET_FPEMU" "PR_GET_FPEXC"
    "PR_GET_FP_MODE" "PR_GET_IO_FLUSHER" "PR_GET_KEEPCAPS" "PR_GET_MDWE" "PR_GET_MEMORY_MERGE" "PR_GET_NAME"
    "PR_GET_NO_NEW_PRIVS" "PR_GET_PDEATHSIG" "PR_GET_SECCOMP" "PR_GET_SECUREBITS" "PR_GET_SPECULATION_CTRL"
    "PR_GET_TAGGED_ADDR_CTRL" "PR_GET_THP_DISABLE" "PR_GET_TID_ADDRESS" "PR_GET_TIMERSLACK" "PR_GET_TIMING"
    "PR_GET_TSC" "PR_GET_UNALIGN" "PR_MCE_KILL" "PR_MCE_KILL_CLEAR" "PR_MCE_KILL_DEFAULT" "PR_MCE_KILL_EARLY"
    "PR_MCE_KILL_GET" "PR_MCE_KILL_LATE" "PR_MCE_KILL_SET" "PR_MDWE_NO_INHERIT" "PR_MDWE_REFUSE_EXEC_GAIN"
    "PR_MPX_DISABLE_MANAGEMENT" "PR_MPX_ENABLE_MANAGEMENT" "PR_PAC_RESET_KEYS" "PR_SCHED_CORE"
    "PR_SCHED_CORE_CREATE" "PR_SCHED_CORE_GET" "PR_SCHED_CORE_SCOPE_PROCESS_GROUP"
    "PR_SCHED_CORE_SCOPE_THREAD" "PR_SCHED_CORE_SCOPE_THREAD_GROUP" "PR_SCHED_CORE_SHARE_FROM"
    "PR_SCHED_CORE_SHARE_TO" "PR_SET_CHILD_SUBREAPER" "PR_SET_DUMPABLE" "PR_SET_ENDIAN" "PR_SET_FPEMU"
    "PR_SET_FPEXC" "PR_SET_FP_MODE" "PR_SET_IO_FLUSHER" "PR_SET_KEEPCAPS" "PR_SET_MDWE" "PR_SET_MEMORY_MERGE"
    "PR_SET_MM" "PR_SET_MM_ARG_END" "PR_SET_MM_ARG_START" "PR_SET_MM_AUXV" "PR_SET_MM_BRK"
    "PR_SET_MM_END_CODE" "PR_SET_MM_END_DATA" "PR_SET_MM_ENV_END" "PR_SET_MM_ENV_START" "PR_SET_MM_EXE_FILE"
    "PR_SET_MM_MAP" "PR_SET_MM_MAP_SIZE" "PR_SET_MM_START_BRK" "PR_SET_MM_START_CODE" "PR_SET_MM_START_DATA"
    "PR_SET_MM_START_STACK" "PR_SET_NAME" "PR_SET_NO_NEW_PRIVS" "PR_SET_PDEATHSIG" "PR_SET_PTRACER"
    "PR_SET_PTRACER_ANY" "PR_SET_SECCOMP" "PR_SET_SECUREBITS" "PR_SET_SPECULATION_CTRL"
    "PR_SET_SYSCALL_USER_DISPATCH" "PR_SET_TAGGED_ADDR_CTRL" "PR_SET_THP_DISABLE" "PR_SET_TIMERSLACK"
    "PR_SET_TIMING" "PR_SET_TSC" "PR_SET_UNALIGN" "PR_SET_VMA" "PR_SET_VMA_ANON_NAME" "PR_SME_GET_VL"
    "PR_SME_SET_VL" "PR_SPEC_DISABLE" "PR_SPEC_DISABLE_NOEXEC" "PR_SPEC_ENABLE" "PR_SPEC_FORCE_DISABLE"
    "PR_SPEC_INDIRECT_BRANCH" "PR_SPEC_NOT_AFFECTED" "PR_SPEC_PRCTL" "PR_SPEC_STORE_BYPASS" "PR_SVE_GET_VL"
    "PR_SVE_SET_VL" "PR_TASK_PERF_EVENTS_DISABLE" "PR_TASK_PERF_EVENTS_ENABLE" "PR_TIMING_STATISTICAL"
    "PR_TIMING_TIMESTAMP" "PR_TSC_ENABLE" "PR_TSC_SIGSEGV" "PR_UNALIGN_NOPRINT" "PR_UNALIGN_SIGBUS"
    "PTRACE_ATTACH" "PTRACE_CONT" "PTRACE_DETACH" "PTRACE_GETEVENTMSG" "PTRACE_GETFPREGS" "PTRACE_GETFPXREGS"
    "PTRACE_GETREGS" "PTRACE_GETREGSET" "PTRACE_GETSIGINFO" "PTRACE_GETSIGMASK"
    "PTRACE_GET_RSEQ_CONFIGURATION" "PTRACE_GET_SYSCALL_INFO" "PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG"
    "PTRACE_INTERRUPT" "PTRACE_KILL" "PTRACE_LISTEN" "PTRACE_PEEKDATA" "PTRACE_PEEKSIGINFO"
    "PTRACE_PEEKSIGINFO_SHARED" "PTRACE_PEEKTEXT" "PTRACE_PEEKUSER" "PTRACE_POKEDATA" "PTRACE_POKETEXT"
    "PTRACE_POKEUSER" "PTRACE_SEIZE" "PTRACE_SETFPREGS" "PTRACE_SETFPXREGS" "PTRACE_SETOPTIONS"
    "PTRACE_SETREGS" "PTRACE_SETREGSET" "PTRACE_SETSIGINFO" "PTRACE_SETSIGMASK" "PTRACE_SET_SYSCALL_INFO"
    "PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG" "PTRACE_SINGLESTEP" "PTRACE_SYSCALL" "PTRACE_SYSEMU"
    "PTRACE_SYSEMU_SINGLESTEP" "PTRACE_TRACEME" "P_ALL" "P_PGID" "P_PID" "P_PIDFD" "Q_GETFMT" "Q_GETINFO"
    "Q_GETNEXTQUOTA" "Q_GETQUOTA" "Q_QUOTAOFF" "Q_QUOTAON" "Q_SETINFO" "Q_SETQUOTA" "Q_SYNC"
    "READ_IMPLIES_EXEC" "RENAME_EXCHANGE" "RENAME_NOREPLACE" "RENAME_WHITEOUT" "RESOLVE_BENEATH"
    "RESOLVE_CACHED" "RESOLVE_IN_ROOT" "RESOLVE_NO_MAGICLINKS" "RESOLVE_NO_SYMLINKS" "RESOLVE_NO_XDEV"
    "RLIMIT_AS" "RLIMIT_CORE" "RLIMIT_CPU" "RLIMIT_DATA" "RLIMIT_FSIZE" "RLIMIT_LOCKS" "RLIMIT_MEMLOCK"
    "RLIMIT_MSGQUEUE" "RLIMIT_NICE" "RLIMIT_NOFILE" "RLIMIT_NPROC" "RLIMIT_RSS" "RLIMIT_RTPRIO"
    "RLIMIT_RTTIME" "RLIMIT_SIGPENDING" "RLIMIT_STACK" "RUSAGE_CHILDREN" "RUSAGE_SELF" "RUSAGE_THREAD"
    "RWF_APPEND" "RWF_ATOMIC" "RWF_DONTCACHE" "RWF_DSYNC" "RWF_HIPRI" "RWF_NOAPPEND" "RWF_NOWAIT" "RWF_SYNC"
    "SCHED_BATCH" "SCHED_DEADLINE" "SCHED_FIFO" "SCHED_FLAG_ALL" "SCHED_FLAG_DL_OVERRUN" "SCHED_FLAG_KEEP_ALL"
    "SCHED_FLAG_KEEP_PARAMS" "SCHED_FLAG_KEEP_POLICY" "SCHED_FLAG_RECLAIM" "SCHED_FLAG_RESET_ON_FORK"
    "SCHED_FLAG_UTIL_CLAMP" "SCHED_IDLE" "SCHED_NORMAL" "SCHED_OTHER" "SCHED_RESET_ON_FORK" "SCHED_RR"
    "SECBIT_EXEC_DENY_INTERACTIVE" "SECBIT_EXEC_DENY_INTERACTIVE_LOCKED" "SECBIT_EXEC_RESTRICT_FILE"
    "SECBIT_EXEC_RESTRICT_FILE_LOCKED" "SECBIT_KEEP_CAPS" "SECBIT_KEEP_CAPS_LOCKED" "SECBIT_NOROOT"
    "SECBIT_NOROOT_LOCKED" "SECBIT_NO_CAP_AMBIENT_RAISE" "SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED"
    "SECBIT_NO_SETUID_FIXUP" "SECBIT_NO_SETUID_FIXUP_LOCKED" "SECCOMP_FILTER_FLAG_LOG"
    "SECCOMP_FILTER_FLAG_NEW_LISTENER" "SECCOMP_FILTER_FLAG_SPEC_ALLOW" "SECCOMP_FILTER_FLAG_TSYNC"
    "SECCOMP_FILTER_FLAG_TSYNC_ESRCH" "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" "SECCOMP_GET_ACTION_AVAIL"
    "SECCOMP_GET_NOTIF_SIZES" "SECCOMP_IOCTL_NOTIF_ADDFD" "SECCOMP_IOCTL_NOTIF_ID_VALID"
    "SECCOMP_IOCTL_NOTIF_RECV" "SECCOMP_IOCTL_NOTIF_SEND" "SECCOMP_IOCTL_NOTIF_SET_FLAGS"
    "SECCOMP_MODE_DISABLED" "SECCOMP_MODE_FILTER" "SECCOMP_MODE_STRICT" "SECCOMP_SET_MODE_FILTER"
    "SECCOMP_SET_MODE_STRICT" "SEEK_CUR" "SEEK_DATA" "SEEK_END" "SEEK_HOLE" "SEEK_SET" "SFD_CLOEXEC"
    "SFD_NONBLOCK" "SHM_DEST" "SHM_EXEC" "SHM_HUGETLB" "SHM_INFO" "SHM_LOCK" "SHM_LOCKED" "SHM_NORESERVE"
    "SHM_R" "SHM_RDONLY" "SHM_REMAP" "SHM_RND" "SHM_STAT" "SHM_STAT_ANY" "SHM_UNLOCK" "SHM_W" "SHORT_INODE"
    "SHUT_RD" "SHUT_RDWR" "SHUT_WR" "SIGABRT" "SIGALRM" "SIGBUS" "SIGCHLD" "SIGCONT" "SIGFPE" "SIGHUP"
    "SIGILL" "SIGINT" "SIGIO" "SIGIOT" "SIGKILL" "SIGPIPE" "SIGPOLL" "SIGPROF" "SIGPWR" "SIGQUIT" "SIGSEGV"
    "SIGSTKFLT" "SIGSTOP" "SIGSYS" "SIGTERM" "SIGTRAP" "SIGTSTP" "SIGTTIN" "SIGTTOU" "SIGURG" "SIGUSR1"
    "SIGUSR2" "SIGVTALRM" "SIGWINCH" "SIGXCPU" "SIGXFSZ" "SIOCADDMULTI" "SIOCADDRT" "SIOCATMARK" "SIOCDARP"
    "SIOCDELMULTI" "SIOCDELRT" "SIOCDIFADDR" "SIOCDRARP" "SIOCGARP" "SIOCGHWTSTAMP" "SIOCGIFADDR" "SIOCGIFBR"
    "SIOCGIFBRDADDR" "SIOCGIFCONF" "SIOCGIFCOUNT" "SIOCGIFDSTADDR" "SIOCGIFENCAP" "SIOCGIFFLAGS"
    "SIOCGIFHWADDR" "SIOCGIFINDEX" "SIOCGIFMAP" "SIOCGIFMEM" "SIOCGIFMETRIC" "SIOCGIFMTU" "SIOCGIFNAME"
    "SIOCGIFNETMASK" "SIOCGIFPFLAGS" "SIOCGIFSLAVE" "SIOCGIFTXQLEN" "SIOCGIFVLAN" "SIOCGMIIPHY" "SIOCGMIIREG"
    "SIOCGPGRP" "SIOCGRARP" "SIOCGSKNS" "SIOCGSTAMP" "SIOCGSTAMPNS" "SIOCINQ" "SIOCOUTQ" "SIOCSARP"
    "SIOCSHWTSTAMP" "SIOCSIFADDR" "SIOCSIFBR" "SIOCSIFBRDADDR" "SIOCSIFDSTADDR" "SIOCSIFENCAP" "SIOCSIFFLAGS"
    "SIOCSIFHWADDR" "SIOCSIFHWBROADCAST" "SIOCSIFLINK" "SIOCSIFMAP" "SIOCSIFMEM" "SIOCSIFMETRIC" "SIOCSIFMTU"
    "SIOCSIFNAME" "SIOCSIFNETMASK" "SIOCSIFPFLAGS" "SIOCSIFSLAVE" "SIOCSIFTXQLEN" "SIOCSIFVLAN" "SIOCSMIIREG"
    "SIOCSPGRP" "SIOCSRARP" "SOCK_CLOEXEC" "SOCK_DCCP" "SOCK_DGRAM" "SOCK_NONBLOCK" "SOCK_PACKET" "SOCK_RAW"
    "SOCK_RDM" "SOCK_SEQPACKET" "SOCK_STREAM" "SOCK_TYPE_MASK" "SOL_AAL" "SOL_ALG" "SOL_ATM" "SOL_BLUETOOTH"
    "SOL_CAIF" "SOL_CAN_BASE" "SOL_DCCP" "SOL_DECNET" "SOL_ICMPV6" "SOL_IP" "SOL_IPV6" "SOL_IRDA" "SOL_IUCV"
    "SOL_KCM" "SOL_LLC" "SOL_MCTP" "SOL_MPTCP" "SOL_NETBEUI" "SOL_NETLINK" "SOL_NFC" "SOL_PACKET" "SOL_PNPIPE"
    "SOL_PPPOL2TP" "SOL_RAW" "SOL_RDS" "SOL_RXRPC" "SOL_SMC" "SOL_SOCKET" "SOL_TCP" "SOL_TIPC" "SOL_TLS"
    "SOL_UDP" "SOL_X25" "SOL_XDP" "SO_ACCEPTCONN" "SO_ATTACH_BPF" "SO_ATTACH_FILTER"
    "SO_ATTACH_REUSEPORT_CBPF" "SO_ATTACH_REUSEPORT_EBPF" "SO_BINDTODEVICE" "SO_BINDTOIFINDEX"
    "SO_BPF_EXTENSIONS" "SO_BROADCAST" "SO_BSDCOMPAT" "SO_BUF_LOCK" "SO_BUSY_POLL" "SO_BUSY_POLL_BUDGET"
    "SO_CNX_ADVICE" "SO_COOKIE" "SO_DEBUG" "SO_DETACH_BPF" "SO_DETACH_FILTER" "SO_DETACH_REUSEPORT_BPF"
    "SO_DEVMEM_DMABUF" "SO_DEVMEM_DONTNEED" "SO_DEVMEM_LINEAR" "SO_DOMAIN" "SO_DONTROUTE" "SO_ERROR"
    "SO_GET_FILTER" "SO_INCOMING_CPU" "SO_INCOMING_NAPI_ID" "SO_KEEPALIVE" "SO_LINGER" "SO_LOCK_FILTER"
    "SO_MARK" "SO_MAX_PACING_RATE" "SO_MEMINFO" "SO_NETNS_COOKIE" "SO_NOFCS" "SO_NO_CHECK" "SO_OOBINLINE"
    "SO_ORIGINAL_DST" "SO_PASSCRED" "SO_PASSPIDFD" "SO_PASSSEC" "SO_PEEK_OFF" "SO_PEERCRED" "SO_PEERGROUPS"
    "SO_PEERNAME" "SO_PEERPIDFD" "SO_PEERSEC" "SO_PREFER_BUSY_POLL" "SO_PRIORITY" "SO_PROTOCOL" "SO_RCVBUF"
    "SO_RCVBUFFORCE" "SO_RCVLOWAT" "SO_RCVMARK" "SO_RCVTIMEO" "SO_RCVTIMEO_NEW" "SO_RESERVE_MEM"
    "SO_REUSEADDR" "SO_REUSEPORT" "SO_RXQ_OVFL" "SO_SECURITY_AUTHENTICATION" "SO_SECURITY_ENCRYPTION_NETWORK"
    "SO_SECURITY_ENCRYPTION_TRANSPORT" "SO_SELECT_ERR_QUEUE" "SO_SNDBUF" "SO_SNDBUFFORCE" "SO_SNDLOWAT"
    "SO_SNDTIMEO" "SO_SNDTIMEO_NEW" "SO_TIMESTAMP" "SO_TIMESTAMPING" "SO_TIMESTAMPING_NEW" "SO_TIMESTAMPNS"
    "SO_TIMESTAMPNS_NEW" "SO_TIMESTAMP_NEW" "SO_TXREHASH" "SO_TXTIME" "SO_TYPE" "SO_WIFI_STATUS" "SO_ZEROCOPY"
    "SPLICE_F_GIFT" "SPLICE_F_MORE" "SPLICE_F_MOVE" "SPLICE_F_NONBLOCK" "STICKY_TIMEOUTS"
    "SYNC_FILE_RANGE_WAIT_AFTER" "SYNC_FILE_RANGE_WAIT_BEFORE" "SYNC_FILE_RANGE_WRITE"
    "SYNC_FILE_RANGE_WRITE_AND_WAIT" "S_IEXEC" "S_IFBLK" "S_IFCHR" "S_IFDIR" "S_IFIFO" "S_IFLNK" "S_IFMT"
    "S_IFREG" "S_IFSOCK" "S_IREAD" "S_IRGRP" "S_IROTH" "S_IRUSR" "S_IRWXG" "S_IRWXO" "S_IRWXU" "S_ISGID"
    "S_ISUID" "S_ISVTX" "S_IWGRP" "S_IWOTH" "S_IWRITE" "S_IWUSR" "S_IXGRP" "S_IXOTH" "S_IXUSR" "TCFLSH"
    "TCGETA" "TCGETS" "TCGETS2" "TCGETX" "TCIFLUSH" "TCIOFF" "TCIOFLUSH" "TCION" "TCOFLUSH" "TCOOFF" "TCOON"
    "TCP_CC_INFO" "TCP_CM_INQ" "TCP_CONGESTION" "TCP_COOKIE_TRANSACTIONS" "TCP_CORK" "TCP_DEFER_ACCEPT"
    "TCP_FASTOPEN" "TCP_FASTOPEN_CONNECT" "TCP_FASTOPEN_KEY" "TCP_FASTOPEN_NO_COOKIE" "TCP_INFO" "TCP_INQ"
    "TCP_KEEPCNT" "TCP_KEEPIDLE" "TCP_KEEPINTVL" "TCP_LINGER2" "TCP_MAXSEG" "TCP_NODELAY" "TCP_NOTSENT_LOWAT"
    "TCP_QUEUE_SEQ" "TCP_QUICKACK" "TCP_REPAIR" "TCP_REPAIR_OPTIONS" "TCP_REPAIR_QUEUE" "TCP_REPAIR_WINDOW"
    "TCP_SAVED_SYN" "TCP_SAVE_SYN" "TCP_SYNCNT" "TCP_THIN_DUPACK" "TCP_THIN_LINEAR_TIMEOUTS" "TCP_TIMESTAMP"
    "TCP_TX_DELAY" "TCP_ULP" "TCP_USER_TIMEOUT" "TCP_WINDOW_CLAMP" "TCP_ZEROCOPY_RECEIVE" "TCSBRK" "TCSBRKP"
    "TCSETA" "TCSETAF" "TCSETAW" "TCSETS" "TCSETS2" "TCSETSF" "TCSETSF2" "TCSETSW" "TCSETSW2" "TCSETX"
    "TCXONC" "TFD_CLOEXEC" "TFD_NONBLOCK" "TFD_TIMER_ABSTIME" "TFD_TIMER_CANCEL_ON_SET" "TIMER_ABSTIME"
    "TIOCCBRK" "TIOCCONS" "TIOCEXCL" "TIOCGDEV" "TIOCGETD" "TIOCGEXCL" "TIOCGICOUNT" "TIOCGISO7816"
    "TIOCGLCKTRMIOS" "TIOCGPGRP" "TIOCGPKT" "TIOCGPTLCK" "TIOCGPTN" "TIOCGPTPEER" "TIOCGRS485" "TIOCGSERIAL"
    "TIOCGSID" "TIOCGSOFTCAR" "TIOCGWINSZ" "TIOCINQ" "TIOCLINUX" "TIOCMBIC" "TIOCMBIS" "TIOCMGET" "TIOCMIWAIT"
    "TIOCMSET" "TIOCNOTTY" "TIOCNXCL" "TIOCOUTQ" "TIOCPKT" "TIOCSBRK" "TIOCSCTTY" "TIOCSERCONFIG"
    "TIOCSERGETLSR" "TIOCSERGETMULTI" "TIOCSERGSTRUCT" "TIOCSERGWILD" "TIOCSERSETMULTI" "TIOCSERSWILD"
    "TIOCSETD" "TIOCSIG" "TIOCSISO7816" "TIOCSLCKTRMIOS" "TIOCSPGRP" "TIOCSPTLCK" "TIOCSRS485" "TIOCSSERIAL"
    "TIOCSSOFTCAR" "TIOCSTI" "TIOCSWINSZ" "TIOCVHANGUP" "TUNGETDEVNETNS" "TUNGETFEATURES" "TUNGETFILTER"
    "TUNGETIFF" "TUNGETSNDBUF" "TUNGETVNETBE" "TUNGETVNETHDRSZ" "TUNGETVNETLE" "TUNSETCARRIER" "TUNSETDEBUG"
    "TUNSETFILTEREBPF" "TUNSETGROUP" "TUNSETIFF" "TUNSETIFINDEX" "TUNSETLINK" "TUNSETNOCSUM" "TUNSETOFFLOAD"
    "TUNSETOWNER" "TUNSETPERSIST" "TUNSETQUEUE" "TUNSETSNDBUF" "TUNSETSTEERINGEBPF" "TUNSETTXFILTER"
    "TUNSETVNETBE" "TUNSETVNETHDRSZ" "TUNSETVNETLE" "UDP_CORK" "UDP_ENCAP" "UDP_GRO" "UDP_NO_CHECK6_RX"
    "UDP_NO_CHECK6_TX" "UDP_SEGMENT" "UFFD_USER_MODE_ONLY" "UMOUNT_NOFOLLOW" "UNAME26" "USRQUOTA" "WCONTINUED"
    "WEXITED" "WHOLE_SECONDS" "WNOHANG" "WNOWAIT" "WSTOPPED" "WUNTRACED" "XATTR_CREATE" "XATTR_REPLACE")
  "The constants of the language.")

(defconst nsl--declarations
  '("container" "pod" "profile" "sandbox")
  "The declarations of the language.")

(defconst nsl--fields
  '("abi" "address" "after" "allow" "ambient" "apparmor" "as" "boottime" "core" "core-scheduling" "cpu"
    "cpu-affinity" "cpu.max" "cpu.weight" "cpuset.cpus" "cpuset.mems" "cwd" "data" "deny" "dns" "domainname"
    "env" "essential" "fd" "files" "fsize" "group" "groups" "hide" "host" "hostname" "hugetlb.max" "init"
    "io.max" "io.weight" "ionice" "keep" "link" "listen-fds" "locks" "loopback" "map" "memlock" "memory.high"
    "memory.low" "memory.max" "memory.min" "memory.oom.group" "memory.swap.max" "mkdir" "monotonic" "mount"
    "msgqueue" "nice" "no-new-privs" "nofile" "nproc" "oom-score-adj" "otherwise" "personality" "pids.max"
    "private" "protect" "publish" "ready" "realtime" "restart" "root" "route" "rss" "rtprio" "rttime" "run"
    "scheduling" "scope" "selinux" "setgroups" "signal" "sigpending" "stack" "stderr" "stdin" "stdout"
    "sysctl" "tcp.bind" "tcp.connect" "timeout" "timer-slack" "tty" "umask" "uplink" "volume" "with-parent")
  "The fields of the language.")

(defconst nsl--keywords
  '("as" "else" "for" "group" "if" "let" "nsl" "param" "require" "syscalls" "use" "with")
  "The keywords of the language.")

(defconst nsl--modifiers
  '("default" "final" "optional" "override" "prefer" "remove")
  "The modifiers of the language.")

(defconst nsl--operators
  '("and" "in" "not" "or")
  "The operators of the language.")

(defconst nsl--sections
  '("caps" "cgroup" "ipc" "landlock" "limits" "mnt" "net" "pid" "seccomp" "stop" "time" "user" "uts")
  "The sections of the language.")

(defconst nsl--signals
  '("ABRT" "ALRM" "BUS" "CHLD" "CLD" "CONT" "FPE" "HUP" "ILL" "INT" "IO" "IOT" "KILL" "PIPE" "POLL" "PROF"
    "PWR" "QUIT" "SEGV" "STKFLT" "STOP" "SYS" "TERM" "TRAP" "TSTP" "TTIN" "TTOU" "URG" "USR1" "USR2" "VTALRM"
    "WINCH" "XCPU" "XFSZ")
  "The signals of the language.")

(defconst nsl--syscalls
  '("accept" "accept4" "access" "acct" "add_key" "adjtimex" "afs_syscall" "alarm" "arch_prctl" "bind" "bpf"
    "brk" "cachestat" "capget" "capset" "chdir" "chmod" "chown" "chroot" "clock_adjtime" "clock_getres"
    "clock_gettime" "clock_nanosleep" "clock_settime" "clone" "clone3" "close" "close_range" "connect"
    "copy_file_range" "creat" "create_module" "delete_module" "dup" "dup2" "dup3" "epoll_create"
    "epoll_create1" "epoll_ctl" "epoll_ctl_old" "epoll_pwait" "epoll_pwait2" "epoll_wait" "epoll_wait_old"
    "eventfd" "eventfd2" "execve" "execveat" "exit" "exit_group" "faccessat" "faccessat2" "fadvise64"
    "fallocate" "fanotify_init" "fanotify_mark" "fchdir" "fchmod" "fchmodat" "fchmodat2" "fchown" "fchownat"
    "fcntl" "fdatasync" "fgetxattr" "file_getattr" "file_setattr" "finit_module" "flistxattr" "flock" "fork"
    "fremovexattr" "fsconfig" "fsetxattr" "fsmount" "fsopen" "fspick" "fstat" "fstatfs" "fsync" "ftruncate"
    "futex" "futex_requeue" "futex_wait" "futex_waitv" "futex_wake" "futimesat" "get_kernel_syms"
    "get_mempolicy" "get_robust_list" "get_thread_area" "getcpu" "getcwd" "getdents" "getdents64" "getegid"
    "geteuid" "getgid" "getgroups" "getitimer" "getpeername" "getpgid" "getpgrp" "getpid" "getpmsg" "getppid"
    "getpriority" "getrandom" "getresgid" "getresuid" "getrlimit" "getrusage" "getsid" "getsockname"
    "getsockopt" "gettid" "gettimeofday" "getuid" "getxattr" "getxattrat" "init_module" "inotify_add_watch"
    "inotify_init" "inotify_init1" "inotify_rm_watch" "io_cancel" "io_destroy" "io_getevents" "io_pgetevents"
    "io_setup" "io_submit" "io_uring_enter" "io_uring_register" "io_uring_setup" "ioctl" "ioperm" "iopl"
    "ioprio_get" "ioprio_set" "kcmp" "kexec_file_load" "kexec_load" "keyctl" "kill" "landlock_add_rule"
    "landlock_create_ruleset" "landlock_restrict_self" "lchown" "lgetxattr" "link" "linkat" "listen"
    "listmount" "listxattr" "listxattrat" "llistxattr" "lookup_dcookie" "lremovexattr" "lseek" "lsetxattr"
    "lsm_get_self_attr" "lsm_list_modules" "lsm_set_self_attr" "lstat" "madvise" "map_shadow_stack" "mbind"
    "membarrier" "memfd_create" "memfd_secret" "migrate_pages" "mincore" "mkdir" "mkdirat" "mknod" "mknodat"
    "mlock" "mlock2" "mlockall" "mmap" "modify_ldt" "mount" "mount_setattr" "move_mount" "move_pages"
    "mprotect" "mq_getsetattr" "mq_notify" "mq_open" "mq_timedreceive" "mq_timedsend" "mq_unlink" "mremap"
    "mseal" "msgctl" "msgget" "msgrcv" "msgsnd" "msync" "munlock" "munlockall" "munmap" "name_to_handle_at"
    "nanosleep" "newfstatat" "nfsservctl" "open" "open_by_handle_at" "open_tree" "open_tree_attr" "openat"
    "openat2" "pause" "perf_event_open" "personality" "pidfd_getfd" "pidfd_open" "pidfd_send_signal" "pipe"
    "pipe2" "pivot_root" "pkey_alloc" "pkey_free" "pkey_mprotect" "poll" "ppoll" "prctl" "pread64" "preadv"
    "preadv2" "prlimit64" "process_madvise" "process_mrelease" "process_vm_readv" "process_vm_writev"
    "pselect6" "ptrace" "putpmsg" "pwrite64" "pwritev" "pwritev2" "query_module" "quotactl" "quotactl_fd"
    "read" "readahead" "readlink" "readlinkat" "readv" "reboot" "recvfrom" "recvmmsg" "recvmsg"
    "remap_file_pages" "removexattr" "removexattrat" "rename" "renameat" "renameat2" "request_key"
    "restart_syscall" "rmdir" "rseq" "rt_sigaction" "rt_sigpending" "rt_sigprocmask" "rt_sigqueueinfo"
    "rt_sigreturn" "rt_sigsuspend" "rt_sigtimedwait" "rt_tgsigqueueinfo" "sched_get_priority_max"
    "sched_get_priority_min" "sched_getaffinity" "sched_getattr" "sched_getparam" "sched_getscheduler"
    "sched_rr_get_interval" "sched_setaffinity" "sched_setattr" "sched_setparam" "sched_setscheduler"
    "sched_yield" "seccomp" "security" "select" "semctl" "semget" "semop" "semtimedop" "sendfile" "sendmmsg"
    "sendmsg" "sendto" "set_mempolicy" "set_mempolicy_home_node" "set_robust_list" "set_thread_area"
    "set_tid_address" "setdomainname" "setfsgid" "setfsuid" "setgid" "setgroups" "sethostname" "setitimer"
    "setns" "setpgid" "setpriority" "setregid" "setresgid" "setresuid" "setreuid" "setrlimit" "setsid"
    "setsockopt" "settimeofday" "setuid" "setxattr" "setxattrat" "shmat" "shmctl" "shmdt" "shmget" "shutdown"
    "sigaltstack" "signalfd" "signalfd4" "socket" "socketpair" "splice" "stat" "statfs" "statmount" "statx"
    "swapoff" "swapon" "symlink" "symlinkat" "sync" "sync_file_range" "syncfs" "sysfs" "sysinfo" "syslog"
    "tee" "tgkill" "time" "timer_create" "timer_delete" "timer_getoverrun" "timer_gettime" "timer_settime"
    "timerfd_create" "timerfd_gettime" "timerfd_settime" "times" "tkill" "truncate" "tuxcall" "umask"
    "umount2" "uname" "unlink" "unlinkat" "unshare" "uprobe" "uretprobe" "uselib" "userfaultfd" "ustat"
    "utime" "utimensat" "utimes" "vfork" "vhangup" "vmsplice" "vserver" "wait4" "waitid" "write" "writev")
  "The syscalls of the language.")

(defconst nsl--types
  '("address" "bool" "duration" "int" "path" "percent" "pid" "port" "size" "string" "symbol")
  "The types of the language.")

(defconst nsl--values
  '("abstract-unix-socket" "addr-compat-layout" "addr-limit-3gb" "addr-no-randomize" "allow" "always" "append"
    "batch" "best-effort" "bind" "bridge" "caller" "cgroup" "deny" "dev" "device" "devpts" "dir" "down"
    "empty" "ephemeral" "errno" "exec" "false" "fifo" "file" "gid" "host" "i386" "idle" "idmap" "image" "in"
    "inherit" "invisible" "join" "kill" "kill-thread" "linux32" "log" "macvlan" "move" "mqueue" "nat" "never"
    "new" "noaccess" "noexec" "none" "nosymfollow" "null" "on-failure" "other" "out" "outer" "overlay" "own"
    "passthru" "pid" "pod" "private" "proc" "ptraceable" "quota" "rates" "realtime" "ro" "rr" "rw" "secret"
    "shared" "signal" "slave" "stdout" "sticky-timeouts" "subid" "suid" "sys" "tcp" "tmpfs" "trap" "tree"
    "true" "uid" "uname26" "unlimited" "unprivileged" "up" "user" "vepa" "veth" "volume")
  "The values of the language.")

;; words: end

;;; Colours

(defvar nsl-mode-syntax-table
  (let ((table (make-syntax-table)))
    (modify-syntax-entry ?# "<" table)
    (modify-syntax-entry ?\n ">" table)
    (modify-syntax-entry ?\" "\"" table)
    (modify-syntax-entry ?\\ "\\" table)
    (modify-syntax-entry ?_ "_" table)
    (modify-syntax-entry ?- "_" table)
    (modify-syntax-entry ?. "_" table)
    (modify-syntax-entry ?/ "." table)
    (modify-syntax-entry ?$ "'" table)
    (modify-syntax-entry ?@ "'" table)
    (modify-syntax-entry ?& "." table)
    table)
  "Syntax of NSL: comments, strings, and names with dashes and dots.")

(eval-and-compile
  (defconst nsl--name "[A-Za-z][A-Za-z0-9_-]*")
  (defconst nsl--dotted (concat nsl--name "\\(?:\\." nsl--name "\\)*"))
  (defun nsl--one-of (words)
    "A regular expression for one of WORDS, as a whole symbol, in group 2."
    (concat "\\_<\\(" (regexp-opt words) "\\)\\_>")))

(defconst nsl--head
  (concat "\\(?:^\\|{\\)[ \t]*\\(\\(?:" (regexp-opt nsl--modifiers) "[ \t]+\\)*\\)")
  "Where a statement begins, with the words before it in group 1.")

(defun nsl--symbols (words)
  "A regular expression for one of WORDS."
  (regexp-opt words 'symbols))

(defconst nsl-font-lock-keywords
  `((,(concat nsl--head "\\(" (regexp-opt nsl--declarations) "\\)\\_>\\(?:[ \t]+\\(" nsl--name "\\)\\)?")
     (1 font-lock-builtin-face nil t) (2 font-lock-keyword-face) (3 font-lock-function-name-face nil t))
    (,(concat "^[ \t]*\\(syscalls\\)[ \t]+\\(group\\)[ \t]+\\(" nsl--name "\\)")
     (1 font-lock-keyword-face) (2 font-lock-keyword-face) (3 font-lock-function-name-face))
    (,(concat "^[ \t]*\\(use\\)[ \t]+\\([^ \t\n#]+\\)")
     (1 font-lock-keyword-face) (2 font-lock-constant-face))
    (,(concat nsl--head "\\(param\\|let\\|for\\)[ \t]+\\(" nsl--name "\\)")
     (2 font-lock-keyword-face) (3 font-lock-variable-name-face))
    (,(concat nsl--head "\\(allow\\|deny\\)[ \t]+\\(" (regexp-opt nsl--syscalls) "\\)\\_>")
     (1 font-lock-builtin-face nil t) (2 font-lock-variable-name-face) (3 font-lock-function-name-face))
    (,(concat nsl--head "\\(keep\\|ambient\\)[ \t]+\\(" (regexp-opt nsl--capabilities) "\\)\\_>")
     (1 font-lock-builtin-face nil t) (2 font-lock-variable-name-face) (3 font-lock-constant-face))
    (,(concat nsl--head "\\(" (regexp-opt nsl--keywords) "\\)\\_>")
     (1 font-lock-builtin-face nil t) (2 font-lock-keyword-face))
    (,(concat nsl--head "\\(" (regexp-opt nsl--sections) "\\)\\_>")
     (1 font-lock-builtin-face nil t) (2 font-lock-type-face))
    (,(concat nsl--head "\\(" (regexp-opt nsl--fields) "\\)\\_>")
     (1 font-lock-builtin-face nil t) (2 font-lock-variable-name-face))
    ;; Not known: no colour, and none of a value's either.
    (,(concat nsl--head "\\(" nsl--dotted "\\)") (1 font-lock-builtin-face nil t) (2 'default))
    ("}[ \t]*\\(else\\)\\_>\\(?:[ \t]+\\(if\\)\\_>\\)?" (1 font-lock-keyword-face) (2 font-lock-keyword-face nil t))
    (,(concat "\\_<\\(with\\)[ \t]+\\(" nsl--dotted "\\)")
     (1 font-lock-keyword-face) (2 font-lock-function-name-face))
    ("[ \t]\\(as\\)[ \t]" 1 font-lock-keyword-face)
    (,(concat ":[ \t]*\\[*" (nsl--symbols nsl--types)) 1 font-lock-type-face)
    (,(concat "\\(" (nsl--symbols nsl--arguments) "\\)[ \t]*:") 1 font-lock-variable-name-face)
    (,(concat "[$]" nsl--dotted) . font-lock-variable-name-face)
    (,(concat "\\${" nsl--dotted "}") 0 font-lock-variable-name-face prepend)
    (,(concat "@" nsl--name) . font-lock-preprocessor-face)
    ("\\\\\\(?:[ntr\\\"$]\\|u{[0-9A-Fa-f]\\{1,6\\}}\\)" 0 font-lock-escape-face prepend)
    ("\\_<[0-9]+\\(?:\\.[0-9]+\\)\\{3\\}\\(?:/[0-9]+\\)?" . font-lock-constant-face)
    ("\\_<-?[0-9]+\\(?:\\.[0-9]+\\)?\\(?:/[a-z]+\\|[A-Za-z]+\\|%\\)?" . font-lock-constant-face)
    ("\\(?:^\\|[^A-Za-z0-9_./-]\\)\\(\\.?\\.?/[^] \t\n(),;=[{}#\"$\\]*\\)" 1 font-lock-string-face)
    (,(nsl--symbols nsl--operators) . font-lock-keyword-face)
    (,(nsl--symbols nsl--values) . font-lock-constant-face)
    (,(nsl--symbols (append nsl--constants nsl--signals)) . font-lock-constant-face)
    (,(nsl--symbols (append nsl--syscalls nil)) (0 (and (nsl--in-group-p) font-lock-function-name-face))))
  "What is coloured how in `nsl-mode'.")

(unless (facep 'font-lock-escape-face)
  (defface font-lock-escape-face '((t :inherit font-lock-constant-face))
    "Escapes in strings; Emacs 29 has a face of this name."
    :group 'nsl))
(defvar font-lock-escape-face 'font-lock-escape-face)

(defun nsl--in-group-p ()
  "Whether the match stands in the body of a group of system calls."
  (save-excursion
    (goto-char (match-beginning 0))
    (let ((open (nth 1 (syntax-ppss))))
      (and open
           (progn
             (goto-char open)
             (beginning-of-line)
             (looking-at "[ \t]*syscalls[ \t]+group\\_>"))))))

;;; Indentation, as `nsl fmt' has it

(defun nsl--code ()
  "The text of the line at point without strings, comments and the space around it."
  (save-excursion
    (let ((end (line-end-position)) (parts nil) from)
      (beginning-of-line)
      (setq from (point))
      (while (re-search-forward "[\"#]" end 'move)
        (push (buffer-substring-no-properties from (1- (point))) parts)
        (if (eq (char-before) ?#)
            (goto-char end)
          (push "s" parts)
          (re-search-forward "\\(?:[^\"\\\n]\\|\\\\.\\)*\"?" end t))
        (setq from (point)))
      (push (buffer-substring-no-properties from end) parts)
      (string-trim (apply #'concat (nreverse parts))))))

(defun nsl--goto-start ()
  "Go to the last line above that begins a declaration: with no bracket open."
  (beginning-of-line)
  (unless (re-search-backward
           "^\\(?:profile\\|sandbox\\|pod\\|syscalls\\|use\\|param\\|let\\)\\_>" nil t)
    (goto-char (point-min))))

(defun nsl--indentation ()
  "The column that the line at point begins in.
One step for each line that opened brackets which are still open,
and one for a line that goes on with the statement of the line before."
  (save-excursion
    (beginning-of-line)
    (let ((target (point)) (open nil) (unfinished nil) (result nil))
      (nsl--goto-start)
      (while (not result)
        ;; A bracket is (BLOCK OUTER INNER LINE).
        (let* ((code (nsl--code))
               (line (point))
               (goes-on (and unfinished (or (null open) (nth 0 (car open)))))
               (closers (progn (string-match "\\`[]) \t}]*" code)
                               (length (replace-regexp-in-string "[ \t]" "" (match-string 0 code)))))
               (depth (if (and (> closers 0) (<= closers (length open)))
                          (nth 1 (nth (1- closers) open))
                        (+ (if open (nth 2 (car open)) 0) (if goes-on 1 0))))
               (group (string-match-p "\\_<group\\_>" code)))
          (if (>= line target)
              (setq result (* depth nsl-indent-offset))
            (dolist (sign (append code nil))
              (cond
               ((memq sign '(?\( ?\[ ?\{))
                (let* ((block (and (eq sign ?\{) (not group)))
                       (first (or (null open) (/= (nth 3 (car open)) line)))
                       (outer (cond ((not first) (nth 2 (car open)))
                                    ((and block goes-on) (1- depth))
                                    (t depth))))
                  (push (list block outer (if first (1+ outer) outer) line) open)))
               ((memq sign '(?\) ?\] ?\})) (pop open))))
            (unless (string-empty-p code)
              (setq unfinished (string-match-p "\\(?:[,=<>&]\\|\\_<\\(?:and\\|or\\|not\\|in\\)\\)\\'" code)))
            (forward-line 1))))
      result)))

(defun nsl-indent-line ()
  "Indent the line at point as `nsl fmt' does."
  (interactive)
  (if (save-excursion (nth 3 (syntax-ppss (line-beginning-position))))
      'noindent
    (let ((column (nsl--indentation)))
      (if (<= (current-column) (current-indentation))
          (indent-line-to column)
        (save-excursion (indent-line-to column))))))

;;; Commands

(defun nsl--run (&rest args)
  "Run the command with ARGS and show what it prints."
  (let ((buffer (get-buffer-create "*nsl*")) (inhibit-read-only t))
    (with-current-buffer buffer
      (special-mode)
      (erase-buffer)
      (apply #'call-process nsl-command nil t nil args)
      (goto-char (point-min)))
    (display-buffer buffer)))

(defun nsl-check ()
  "Check the policy, with its findings in a `compilation-mode' buffer."
  (interactive)
  (compile (concat (shell-quote-argument nsl-command) " check --format short "
                   (shell-quote-argument (file-relative-name buffer-file-name)))))

(defun nsl-plan ()
  "Show what `nsl run' would do with the policy, step by step."
  (interactive)
  (nsl--run "plan" buffer-file-name))

(defun nsl-expand ()
  "Show the policy without its profiles."
  (interactive)
  (nsl--run "expand" buffer-file-name))

(defun nsl-explain (code)
  "Show the page behind the finding CODE."
  (interactive (list (read-string "Code: " (thing-at-point 'symbol t))))
  (nsl--run "explain" code))

(defun nsl-format ()
  "Lay the buffer out as `nsl fmt' does; leave it alone where it cannot be read."
  (interactive)
  (let ((out (generate-new-buffer " *nsl fmt*")))
    (unwind-protect
        (if (zerop (call-process-region nil nil nsl-command nil (list out nil) nil "fmt" "-"))
            (replace-buffer-contents out)
          (message "nsl fmt: the policy has errors"))
      (kill-buffer out))))

(defun nsl--before-save ()
  "Format the buffer if that is wanted."
  (when nsl-format-on-save (nsl-format)))

(add-to-list 'compilation-error-regexp-alist-alist
             '(nsl "^\\([^:\n]+\\):\\([0-9]+\\):\\([0-9]+\\): \\(?:error\\|\\(warning\\)\\|\\(advice\\)\\)\\["
                   1 2 3 (4 . 5)))
(add-to-list 'compilation-error-regexp-alist 'nsl)

;;; Findings while one types

(defvar-local nsl--flymake-process nil
  "The check that is going on.")

(defun nsl--flymake-findings (source)
  "The findings in the current buffer about SOURCE."
  (let (findings)
    (goto-char (point-min))
    (while (re-search-forward
            "^<stdin>:\\([0-9]+\\):\\([0-9]+\\): \\(error\\|warning\\|advice\\)\\(.*\\)$" nil t)
      (let* ((line (string-to-number (match-string 1)))
             (column (string-to-number (match-string 2)))
             (type (pcase (match-string 3) ("error" :error) ("warning" :warning) (_ :note)))
             (text (match-string 4))
             (region (flymake-diag-region source line column)))
        (when region
          (push (flymake-make-diagnostic source (car region) (cdr region) type text) findings))))
    (nreverse findings)))

(defun nsl-flymake (report &rest _)
  "Check the buffer, also what is not saved yet, and call REPORT with the findings."
  (unless (executable-find nsl-command)
    (error "Cannot find `%s'; see `nsl-command'" nsl-command))
  (when (process-live-p nsl--flymake-process)
    (kill-process nsl--flymake-process))
  (let ((source (current-buffer)))
    (save-restriction
      (widen)
      (setq nsl--flymake-process
            (make-process
             :name "nsl-flymake" :noquery t :connection-type 'pipe
             :buffer (generate-new-buffer " *nsl-flymake*")
             :command (list nsl-command "check" "--format" "short" "-")
             :sentinel
             (lambda (process _event)
               (when (memq (process-status process) '(exit signal))
                 (unwind-protect
                     (when (and (buffer-live-p source)
                                (eq process (buffer-local-value 'nsl--flymake-process source)))
                       (with-current-buffer (process-buffer process)
                         (funcall report (nsl--flymake-findings source))))
                   (kill-buffer (process-buffer process)))))))
      (process-send-region nsl--flymake-process (point-min) (point-max))
      (process-send-eof nsl--flymake-process))))

;;; The modes

(defvar nsl-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c C-c") #'nsl-check)
    (define-key map (kbd "C-c C-p") #'nsl-plan)
    (define-key map (kbd "C-c C-e") #'nsl-expand)
    (define-key map (kbd "C-c C-d") #'nsl-explain)
    (define-key map (kbd "C-c C-f") #'nsl-format)
    map)
  "Keys of `nsl-mode'.")

(defvar nsl-imenu-generic-expression
  `(("Sandboxes" ,(concat "^[ \t]*\\(?:sandbox\\|pod\\|container\\)[ \t]+\\(" nsl--name "\\)") 1)
    ("Profiles" ,(concat "^[ \t]*profile[ \t]+\\(" nsl--name "\\)") 1)
    ("Groups" ,(concat "^[ \t]*syscalls[ \t]+group[ \t]+\\(" nsl--name "\\)") 1)
    ("Parameters" ,(concat "^[ \t]*param[ \t]+\\(" nsl--name "\\)") 1))
  "What the index of a policy lists.")

(defun nsl--set-up ()
  "What both modes have in common."
  (setq-local comment-start "# ")
  (setq-local comment-start-skip "#+[ \t]*")
  (setq-local comment-end "")
  (setq-local indent-tabs-mode nil)
  (setq-local electric-indent-chars (append "{}[]()" electric-indent-chars))
  (setq-local imenu-generic-expression nsl-imenu-generic-expression)
  (add-hook 'flymake-diagnostic-functions #'nsl-flymake nil t)
  (add-hook 'before-save-hook #'nsl--before-save nil t))

;;;###autoload
(define-derived-mode nsl-mode prog-mode "NSL"
  "Major mode for policies of NSL."
  (nsl--set-up)
  (setq-local indent-line-function #'nsl-indent-line)
  (setq-local font-lock-defaults '(nsl-font-lock-keywords)))

(declare-function treesit-ready-p "treesit" (language &optional quiet))
(declare-function treesit-parser-create "treesit.c" (language))
(declare-function treesit-major-mode-setup "treesit" ())
(declare-function treesit-font-lock-rules "treesit" (&rest args))
(defvar treesit-font-lock-settings)
(defvar treesit-font-lock-feature-list)
(defvar treesit-language-source-alist)

(defun nsl--ts-font-lock ()
  "What is coloured how in `nsl-ts-mode'."
  (let ((known (lambda (words) (concat "\\`" (regexp-opt words) "\\'"))))
    (treesit-font-lock-rules
     :language 'nsl :feature 'comment
     '([(comment) (doc_comment)] @font-lock-comment-face)
     :language 'nsl :feature 'string
     '((string) @font-lock-string-face (path) @font-lock-string-face)
     :language 'nsl :feature 'string :override t
     '((escape_sequence) @font-lock-escape-face (interpolation) @font-lock-variable-name-face)
     :language 'nsl :feature 'keyword
     '(["use" "as" "param" "let" "with" "if" "else" "for" "in" "require" "and" "or" "not" "syscalls" "group"]
       @font-lock-keyword-face
       (kind) @font-lock-keyword-face
       [(modifier) (strength)] @font-lock-builtin-face)
     :language 'nsl :feature 'definition
     `((declaration name: (identifier) @font-lock-function-name-face)
       (syscall_group name: (set_name) @font-lock-function-name-face)
       (param_item name: (identifier) @font-lock-variable-name-face)
       (parameter name: (identifier) @font-lock-variable-name-face)
       (let_item name: (identifier) @font-lock-variable-name-face)
       (for_item name: (identifier) @font-lock-variable-name-face)
       (type) @font-lock-type-face
       (use_item module: (module) @font-lock-constant-face)
       (instance profile: (profile_name) @font-lock-function-name-face)
       ((field_name) @font-lock-type-face (:match ,(funcall known nsl--sections) @font-lock-type-face))
       ((field_name) @font-lock-variable-name-face
        (:match ,(funcall known nsl--fields) @font-lock-variable-name-face)))
     :language 'nsl :feature 'constant
     `([(boolean) (integer) (size) (duration) (percent) (quantity) (port) (address)] @font-lock-constant-face
       (reference) @font-lock-variable-name-face
       (set) @font-lock-preprocessor-face
       (syscall) @font-lock-function-name-face
       ((symbol) @font-lock-constant-face
        (:match ,(funcall known (append nsl--values nsl--constants nsl--signals)) @font-lock-constant-face)))
     :language 'nsl :feature 'error
     '([(invalid) (ERROR)] @font-lock-warning-face))))

;;;###autoload
(define-derived-mode nsl-ts-mode prog-mode "NSL"
  "Major mode for policies of NSL, coloured by their tree.
It needs Emacs 29 with tree-sitter, and the grammar: \\[treesit-install-language-grammar]."
  (nsl--set-up)
  (setq-local indent-line-function #'nsl-indent-line)
  (set-syntax-table nsl-mode-syntax-table)
  (unless (and (fboundp 'treesit-ready-p) (treesit-ready-p 'nsl))
    (user-error "There is no tree-sitter, or no grammar of NSL: use `nsl-mode'"))
  (treesit-parser-create 'nsl)
  (setq-local treesit-font-lock-settings (nsl--ts-font-lock))
  (setq-local treesit-font-lock-feature-list '((comment definition) (keyword string) (constant) (error)))
  (treesit-major-mode-setup))
(set-keymap-parent nsl-ts-mode-map nsl-mode-map)

;;;###autoload
(defun nsl-auto-mode ()
  "The mode that colours by the tree where that is possible, else the other."
  (if (and (fboundp 'treesit-ready-p) (treesit-ready-p 'nsl t))
      (nsl-ts-mode)
    (nsl-mode)))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\.nsl\\'" . nsl-auto-mode))

(defvar eglot-server-programs)
(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs `((nsl-mode nsl-ts-mode) . (,nsl-command "lsp"))))

(provide 'nsl-mode)
;;; nsl-mode.el ends here
