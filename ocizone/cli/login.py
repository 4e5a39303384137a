"""``ocizone login REGISTRY``: keep credentials where docker and oras keep them."""

from __future__ import annotations

import os

import click

from ocizone.cli.exit_codes import Exit
from ocizone.cli.registry import Access, registry_host, registry_options, warn
from ocizone.limits import ATTEMPT_DEADLINE_S
from ocizone.registry import keychain
from ocizone.registry.clients import docker_config_path, ping
from ocizone.registry.credentials import Login
from ocizone.registry.dockerlogin import login_entry


@click.command(name="login")
@click.argument("registry")
@registry_options
def command(registry: str, access: Access) -> int:
    """Check a user and password with REGISTRY, and keep them in docker's config.json.

    Needs -u NAME --password-stdin. A credential helper that the file names keeps the password;
    without one it stands in the file, readable by its owner.
    """
    host = registry_host(registry)
    if access.username is None or access.password is None:
        raise click.UsageError(
            "give -u NAME --password-stdin: a password has no place in a command"
        )
    login = Login(access.username, access.password)
    ping(
        host,
        lambda: login,
        seconds=ATTEMPT_DEADLINE_S,
        ca_file=access.ca_file,
        plain_http=access.is_plain(host),
        proxy=access.proxy,
    )
    path = access.docker_config or docker_config_path(os.environ)
    kept = login_entry(path, host, login, keychain.runner(os.environ))
    if kept == str(path):
        warn(f"the password stands in {path} as good as in clear; a credsStore would keep it")
    click.echo(f"logged in to {host} as {access.username}, kept in {kept}")
    return Exit.OK
