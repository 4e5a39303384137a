"""``ocizone logout REGISTRY``: forget credentials."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ocizone.cli.exit_codes import Exit
from ocizone.cli.registry import docker_config_option, registry_host
from ocizone.registry import keychain
from ocizone.registry.clients import docker_config_path
from ocizone.registry.dockerlogin import logout_entry


@click.command(name="logout")
@click.argument("registry")
@docker_config_option
def command(registry: str, docker_config: Path | None) -> int:
    """Remove the credentials of REGISTRY from docker's config.json."""
    host = registry_host(registry)
    path = docker_config or docker_config_path(os.environ)
    if logout_entry(path, host, keychain.runner(os.environ)):
        click.echo(f"logged out of {host}")
    else:
        click.echo(f"{path} has no credentials for {host}", err=True)
    return Exit.OK
