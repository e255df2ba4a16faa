"""The file system that the emulated machine starts with: an archive in the format of the kernel's
Documentation/driver-api/early-userspace/buffer-format.rst ("newc"), which the kernel unpacks into memory.

A file is found there under the path that it has here: programs hold absolute paths (a run path, a library to load).
"""

import os
import stat

MAGIC = b"070701"
END = "TRAILER!!!"
FOLDER = stat.S_IFDIR | 0o755


def _padded(data):
    return data + b"\0" * (-len(data) % 4)


class Initramfs:
    """Entries in the order in which they were added, a folder before what is in it."""

    def __init__(self):
        self._entries = {}

    def add_folder(self, path):
        """A folder, and those that it is in."""
        if path == "/" or path in self._entries:
            return
        self.add_folder(os.path.dirname(path))
        self._entries[path] = (FOLDER, (0, 0), b"")

    def add_data(self, path, data, mode=stat.S_IFREG | 0o644, device=(0, 0)):
        self.add_folder(os.path.dirname(path))
        self._entries[path] = (mode, device, data)

    def add(self, path, as_path=None):
        """A file, a folder with all that is in it, or a symbolic link with what it leads to."""
        path = os.path.abspath(path)
        as_path = as_path or path
        if as_path in self._entries and not os.path.isdir(path):
            return
        if os.path.islink(path):
            target = os.readlink(path)
            self.add_data(as_path, os.fsencode(target), stat.S_IFLNK | 0o777)
            self.add(os.path.join(os.path.dirname(path), target), os.path.join(os.path.dirname(as_path), target))
        elif os.path.isdir(path):
            self.add_folder(as_path)
            for name in sorted(os.listdir(path)):
                self.add(os.path.join(path, name), os.path.join(as_path, name))
        else:
            with open(path, "rb") as file:
                self.add_data(as_path, file.read(), os.stat(path).st_mode)

    def write(self, path):
        with open(path, "wb") as archive:
            for number, (name, entry) in enumerate(self._entries.items(), 1):
                archive.write(_entry(number, name.lstrip("/"), *entry))
            archive.write(_entry(0, END, 0, (0, 0), b""))


def _entry(number, name, mode, device, data):
    """The fields: inode, mode, user, group, links, time, size, device twice (the file's, its own), name's size, sum."""
    encoded = os.fsencode(name) + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
    return _padded(MAGIC + b"".join(b"%08X" % field for field in fields) + encoded) + _padded(data)
