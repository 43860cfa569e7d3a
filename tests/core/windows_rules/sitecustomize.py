"""Takes from Python what Windows does not have, and gives files Windows' rules, in a process and in its workers.

Python imports this by its name when it starts with this folder in PYTHONPATH. It is no Windows: paths have slashes, and
nothing of a C library is another one. But whatever asks for POSIX fails as it does there.
"""

import _signal
import _socket
import builtins
import ctypes
import errno
import functools
import os
import random
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import byte_locks

MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog")
OF_OS = """
fork forkpty register_at_fork pread preadv pwrite pwritev readv writev fdatasync statvfs fstatvfs memfd_create
MFD_CLOEXEC posix_fallocate posix_fadvise sched_getaffinity sched_setaffinity waitid P_PID WEXITED WNOHANG WNOWAIT
killpg getpgid setpgid getpgrp setsid getsid getuid geteuid getgid getegid mkfifo mknod chown fchown fchmod lchown nice
sync O_CLOEXEC O_NONBLOCK O_NOFOLLOW O_DIRECTORY O_PATH O_TMPFILE O_SYNC O_DSYNC O_NOCTTY SEEK_DATA SEEK_HOLE major
minor set_blocking get_blocking openpty ttyname pipe2 sendfile copy_file_range splice eventfd wait wait3 wait4
getloadavg sysconf pathconf fchdir chroot
"""
OF_SIGNAL = """
SIGHUP SIGKILL SIGPIPE SIGCHLD SIGQUIT SIGUSR1 SIGUSR2 SIGALRM SIGCONT SIGSTOP SIGTSTP pthread_sigmask pthread_kill
SIG_BLOCK SIG_UNBLOCK SIG_SETMASK sigwait setitimer getitimer ITIMER_REAL alarm pause siginterrupt sigpending
"""
HIDDEN = ("/proc/", "/dev/fd", "/sys/")

real = {name: getattr(os, name) for name in ("open", "stat", "listdir", "unlink", "replace", "statvfs", "readlink")}
os.O_BINARY = 1 << 30


def hidden(path):
    """Raise the error for what Windows does not have."""
    if isinstance(path, str) and path.startswith(HIDDEN):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def without_folders(name):
    """Replace a function of `os` by one that takes no descriptors of folders."""
    call = getattr(os, name)

    @functools.wraps(call)
    def wrapped(*arguments, **options):
        if any(options.get(option) is not None for option in ("dir_fd", "src_dir_fd", "dst_dir_fd")):
            raise NotImplementedError("dir_fd unavailable on this platform")
        if name in ("scandir", "listdir") and arguments and isinstance(arguments[0], int):
            raise TypeError(f"{name}: path should be string, not int")
        for path in arguments[:1]:
            hidden(path)
        return call(*arguments, **options)

    setattr(os, name, wrapped)


def open_file(path, flags, mode=0o777, *, dir_fd=None):
    """Open a file: never a folder, never in a folder, and for tonearm never in text mode."""
    if dir_fd is not None:
        raise NotImplementedError("dir_fd unavailable on this platform")
    hidden(path)
    if not flags & os.O_BINARY and path != os.devnull:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        assert not caller.startswith("tonearm"), f"{caller} opens {path} in text mode"
    if os.path.isdir(path):  # noqa: PTH112 - it may be a descriptor's
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    return real["open"](path, flags & ~os.O_BINARY, mode)


def is_open(path):
    """Return whether this process, the one that started it, or one that it has started, has a file open."""
    try:
        wanted = real["stat"](path, follow_symlinks=False)
    except OSError:
        return False
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    with real_open(children) as file:
        processes = [os.getpid(), os.getppid(), *map(int, file.read().split())]
    for process in processes:
        try:
            for number in real["listdir"](f"/proc/{process}/fd"):
                try:
                    found = real["stat"](f"/proc/{process}/fd/{number}")
                except OSError:
                    continue
                if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                    return True
        except OSError:
            continue
    return False


def refuse_open_files(name):
    """Replace a function of `os` by one that refuses files that are open."""
    call = getattr(os, name)

    @functools.wraps(call)
    def wrapped(*paths, **options):
        for path in paths:
            if is_open(path):
                raise PermissionError(errno.EACCES, "The process cannot access the file because it is being used", path)
        return call(*paths, **options)

    setattr(os, name, wrapped)


def waiting(call):
    """Return `select.select` as Windows has it: for sockets alone, and for at least one."""

    def select_sockets(*arguments):
        given = [one for some in arguments[:3] for one in some]
        for one in given:
            descriptor = one if isinstance(one, int) else one.fileno()
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                raise OSError(10038, "An operation was attempted on something that is not a socket")
        if not given:
            raise OSError(10022, "An invalid argument was supplied")
        return call(*arguments)

    return select_sockets


def library(call):
    """Return `ctypes.CDLL` as Windows has it: there is no library without a name."""

    def load(name, *arguments, **options):
        if name is None:
            raise TypeError("argument of type 'NoneType' is not iterable")
        return call(name, *arguments, **options)

    return load


def handler(call):
    """Return `signal.signal` as Windows has it."""

    def set_handler(number, action):
        if number not in (signal.SIGINT, signal.SIGTERM, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV):
            raise ValueError("signal number out of range")
        return call(number, action)

    return set_handler


class Program(subprocess.Popen):
    """A program that inherits no descriptors but the standard streams."""

    def __init__(self, *arguments, pass_fds=(), preexec_fn=None, process_group=None, **options):
        if pass_fds or preexec_fn:
            raise ValueError("pass_fds not supported on Windows.")
        super().__init__(*arguments, **options)


def share(self, process):
    """Return bytes by which another process gets this socket."""
    listener = socket.socket(socket.AF_UNIX)
    name = b"\0tonearm-" + random.randbytes(12)
    listener.bind(name)
    listener.listen()
    copy = self.dup()

    def send():
        with listener, copy:
            taker, _ = listener.accept()
            with taker:
                socket.send_fds(taker, [b"."], [copy.fileno()])

    threading.Thread(target=send, daemon=True).start()
    return name


def from_share(name):
    with socket.socket(socket.AF_UNIX) as giver:
        giver.connect(name)
        _, (descriptor,), _, _ = socket.recv_fds(giver, 1, 1)
    return socket.socket(fileno=descriptor)


real_open = builtins.open


def open_path(path, *arguments, **options):
    hidden(path)
    return real_open(path, *arguments, **options)


builtins.open = open_path
os.open = open_file
for name in ("stat", "lstat", "unlink", "remove", "rmdir", "mkdir", "rename", "replace", "access", "chmod", "utime"):
    without_folders(name)
for name in ("link", "symlink", "readlink", "scandir", "listdir"):
    without_folders(name)
for name in ("unlink", "remove", "rename", "replace"):
    refuse_open_files(name)
os.supports_dir_fd = os.supports_fd = set()
shutil._use_fd_functions = False
usage = shutil.disk_usage("/")
shutil.disk_usage = lambda path: usage
tempfile._O_TMPFILE_WORKS = False
tempfile.TemporaryFile = tempfile.NamedTemporaryFile
select.select = waiting(select.select)
ctypes.CDLL = library(ctypes.CDLL)
signal.signal = handler(signal.signal)
subprocess.Popen = Program
socket.socket.share, socket.fromshare = share, from_share
make_pair = _socket.socketpair
del _socket.socketpair
socket.socketpair = lambda: tuple(socket.socket(fileno=end.detach()) for end in make_pair())
for name in ("poll", "epoll", "PIPE_BUF"):
    delattr(select, name)
for name in OF_OS.split():
    if hasattr(os, name):
        delattr(os, name)
for module in (signal, _signal):
    for name in OF_SIGNAL.split():
        if hasattr(module, name):
            delattr(module, name)
for name in MODULES:
    sys.modules[name] = None
sys.modules["msvcrt"] = byte_locks
