"""docs/cli.md has every option of every command, and says what click says."""

from __future__ import annotations

import re

import click
import pytest

from ocizone.cli.main import COMMANDS, group
from ocizone.cli.reference import PAGE, main, refreshed


def test_the_page_is_fresh():
    """``make docs`` would change nothing."""
    text = PAGE.read_text()
    assert refreshed(text) == text


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_is_there(name):
    """By its name, in the command's section."""
    found = group.get_command(click.Context(group), name)
    assert found is not None
    options = [one for one in found.params if isinstance(one, click.Option)]
    section = re.search(
        rf"^### {name}\n(.*?)(?=^###|\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    assert (section is not None) == bool(options)
    for option in options:
        assert section is not None
        assert all(f"{word}" in section[1] for word in option.opts)


def test_a_page_without_markers_is_told():
    """Nothing is written over."""
    with pytest.raises(ValueError, match="options: begin"):
        refreshed("# Command line\n")


def test_an_installed_package_has_no_page(monkeypatch, tmp_path):
    """Then there is nothing to do."""
    monkeypatch.setattr("ocizone.cli.reference.PAGE", tmp_path / "gone")
    main()
    assert not (tmp_path / "gone").exists()
