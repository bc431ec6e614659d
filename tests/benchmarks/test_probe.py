"""The disk under the benchmarks."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import probe
from benchmarks.probe import NotADisk, fdatasync, filesystem, scratch
from tests.house.repo import ROOT


def test_every_probe_reached_the_disk() -> None:
    """It appends and syncs at least once, says how long that took, and leaves no file."""
    with scratch() as folder:
        before = sorted(folder.iterdir())
        found = fdatasync(folder, seconds=0.02)
        assert sorted(folder.iterdir()) == before
    assert found.n >= 1
    assert 0 < found.p50_ms <= found.p99_ms


def test_scratch_is_in_the_repository_and_goes_away() -> None:
    """On the same disk as the code, in git's blind spot, and gone with all that was written."""
    with scratch() as folder:
        assert folder.parent == probe.SCRATCH
        assert probe.SCRATCH.parent == ROOT
        assert (folder / ".gitignore").read_text() == "*\n"
        (folder / "left.db").write_bytes(b"x")
    assert not folder.exists()


def test_scratch_goes_away_after_an_error() -> None:
    """A benchmark that fails leaves no database behind."""
    seen: list[Path] = []

    def fail() -> None:
        with scratch() as folder:
            seen.append(folder)
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        fail()
    assert not seen[0].exists()


def test_two_scratch_folders_do_not_meet() -> None:
    """The first that ends leaves the second one its folder."""
    with scratch() as first:
        with scratch() as second:
            assert first != second
        assert first.is_dir()


MOUNTS = r"""/dev/vda / ext4 rw,relatime 0 0
none /run tmpfs rw 0 0
/dev/vdb /run/deep ext4 rw 0 0
/dev/vdc /with\040space xfs rw 0 0
/dev/vdd /twice ext4 rw 0 0
none /twice ramfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/somewhere/else", "ext4"),
        ("/run", "tmpfs"),
        ("/run/a/b", "tmpfs"),
        ("/run/deep/a", "ext4"),
        ("/runs", "ext4"),
        ("/with space/a", "xfs"),
        ("/twice/a", "ramfs"),
    ],
)
def test_filesystem_is_the_nearest_mount(
    path: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The longest mount point above a path wins, and of two on one point the later."""
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    monkeypatch.setattr(probe, "MOUNTS", mounts)
    assert filesystem(Path(path)) == kind


def test_memory_is_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A durable write into memory costs nothing; nothing is measured there."""
    mounts = tmp_path / "mounts"
    mounts.write_text("none / tmpfs rw 0 0\n")
    monkeypatch.setattr(probe, "MOUNTS", mounts)
    with pytest.raises(NotADisk, match=r"lies in memory \(tmpfs\)"), scratch():
        pass


def test_a_system_without_mounts_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere than on Linux the kind is unknown, and that is no reason to stop."""
    monkeypatch.setattr(probe, "MOUNTS", tmp_path / "missing")
    assert filesystem(tmp_path) is None
