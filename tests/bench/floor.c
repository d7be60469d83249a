// The floor that a sandbox is measured against: what tests/bench/run asks of nsl, by bare system calls and without a word of error
// handling that costs time. One clone3(2) with all eight namespaces, id maps, the host's root read-only with everything below it, a
// fresh /proc, a /dev of six devices, a /tmp, pivot_root(2), exec. No policy, no checks, no filter, no init, no cgroup.
//
//   cc -O2 -static -o floor tests/bench/floor.c && ./floor /usr/bin/true
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(what) do { if ((what) < 0) { perror(#what); _exit(125); } } while (0)

static void put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  MUST(fd);
  MUST(write(fd, text, strlen(text)));
  close(fd);
}

static void device(const char *from, const char *to) {
  int fd = open(to, O_CREAT | O_CLOEXEC, 0666);
  MUST(fd);
  close(fd);
  MUST(mount(from, to, NULL, MS_BIND, NULL));
}

static void build(void) {
  const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
  char from[64], to[64];
  struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
  MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
  int root = syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | AT_RECURSIVE | O_CLOEXEC);
  MUST(root);
  MUST(syscall(SYS_mount_setattr, root, "", AT_EMPTY_PATH | AT_RECURSIVE, &read_only, sizeof read_only));
  MUST(syscall(SYS_move_mount, root, "", AT_FDCWD, "/mnt", MOVE_MOUNT_F_EMPTY_PATH));
  MUST(mount("proc", "/mnt/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
  MUST(mount("tmpfs", "/mnt/dev", "tmpfs", MS_NOSUID, "mode=0755,size=65536"));
  for (unsigned at = 0; at < sizeof devices / sizeof *devices; at++) {
    snprintf(from, sizeof from, "/dev/%s", devices[at]);
    snprintf(to, sizeof to, "/mnt/dev/%s", devices[at]);
    device(from, to);
  }
  MUST(mount("tmpfs", "/mnt/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=67108864"));
  MUST(chdir("/mnt"));
  MUST(syscall(SYS_pivot_root, ".", "."));
  MUST(umount2(".", MNT_DETACH));
  MUST(chdir("/"));
}

int main(int argc, char **argv) {
  int go[2], status;
  char path[64], map[64];
  if (argc < 2) return 2;
  MUST(pipe2(go, O_CLOEXEC));
  struct clone_args args = {
      .flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWTIME,
      .exit_signal = SIGCHLD,
  };
  pid_t child = syscall(SYS_clone3, &args, sizeof args);
  MUST(child);
  if (child == 0) {
    char byte;
    MUST(read(go[0], &byte, 1));
    build();
    execv(argv[1], argv + 1);
    perror("execv");
    _exit(127);
  }
  snprintf(path, sizeof path, "/proc/%d/setgroups", child);
  put(path, "deny");
  snprintf(path, sizeof path, "/proc/%d/uid_map", child);
  snprintf(map, sizeof map, "%u %u 1", getuid(), getuid());
  put(path, map);
  snprintf(path, sizeof path, "/proc/%d/gid_map", child);
  snprintf(map, sizeof map, "%u %u 1", getgid(), getgid());
  put(path, map);
  MUST(write(go[1], "", 1));
  MUST(waitpid(child, &status, 0));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
