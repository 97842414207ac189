"""Files that survive a power cut, and what is left of unfinished ones. Which files, and where, is said by whoever writes them."""

import contextlib
import os
import shutil
import time
from pathlib import Path

_LEFT_BEHIND = 86_400  # seconds: longer than anybody takes to finish a folder


def sync(path: Path) -> None:
    """Put a file on disk, or which files a folder has: so a rename in it survives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_synced(path: Path, text: str) -> None:
    """Write a small text file and put it on disk."""
    path.write_text(text, encoding="utf-8")
    sync(path)


def clear_leftovers(directory: Path, prefix: str) -> None:
    """Remove unfinished folders of processes that were killed a day ago or longer."""
    for folder in directory.glob(f"{prefix}*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > _LEFT_BEHIND:
                shutil.rmtree(folder, ignore_errors=True)
