"""Options by which a command speaks to a registry, and the clients they make."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from ocizone.errors import Permanent, RegistryError
from ocizone.observe.printable import printable
from ocizone.registry import keychain
from ocizone.registry.client import Client
from ocizone.registry.clients import command_client
from ocizone.registry.dockerconfig import DockerConfig
from ocizone.registry.reference import BadReferenceError, Reference

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """How registries are reached, as the options say.

    Attributes:
        username: None for what the docker config says, or nobody.
        password: of ``username``.
        plain_http: no TLS, also where it is not the default.
        ca_file: PEM file trusted instead of the system's CAs, or None; it means TLS.
        docker_config: a docker config.json instead of the user's own, or None.
        proxy: to go through, or "".
    """

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    plain_http: bool = False
    ca_file: str | None = None
    docker_config: Path | None = None
    proxy: str = field(default="", repr=False)

    def client(self, reference: Reference) -> Client:
        """Return a client of a reference's repository; touches no network."""
        password = self.password
        plain_http = self.is_plain(reference.registry)
        if self.docker_config is not None and password is None:
            login = self._config().login
            return Client(
                reference,
                insecure=plain_http,
                ca_file=self.ca_file,
                proxy=self.proxy,
                login=lambda: login(reference.registry, reference.repository),
            )
        return command_client(
            reference,
            os.environ,
            warn,
            username=self.username,
            password=None if password is None else lambda: password,
            ca_file=self.ca_file,
            plain_http=plain_http,
            proxy=self.proxy,
        )

    def is_plain(self, registry: str) -> bool:
        """Tell whether a registry is spoken to without TLS."""
        return self.plain_http or (is_localhost(registry) and self.ca_file is None)

    def explained(self, error: RegistryError) -> RegistryError:
        """Return an error with what may be behind it: a port of TLS answers plain HTTP with 400.

        Its words (nginx, Go) are no help: an answer to HEAD has none.
        """
        registry = str(error).partition("/")[0]
        if error.status != HTTPStatus.BAD_REQUEST or not self.is_plain(registry):
            return error
        hint = "it was asked by plain HTTP: perhaps it speaks TLS (--ca-file FILE)"
        return Permanent(f"{error}; {hint}", reason=error.reason, status=error.status)

    def _config(self) -> DockerConfig:
        assert self.docker_config is not None  # the caller looked
        return DockerConfig(self.docker_config, keychain.runner(os.environ), warn)


def warn(text: str) -> None:
    """Tell of what is skipped in a docker config."""
    click.echo(f"warning: {printable(text)}", err=True)


def is_localhost(registry: str) -> bool:
    """Tell whether a registry is on the host ``localhost``."""
    return registry.partition(":")[0].lower() == "localhost"


docker_config_option = click.option(
    "--docker-config",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Credentials; else docker's own config.json.",
)


def registry_options(command: _Command) -> _Command:
    """Give a command the options of a registry; it takes them as ``access``."""

    @functools.wraps(command)
    def with_access(
        *args: Any,
        username: str | None,
        password_stdin: bool,
        plain_http: bool,
        ca_file: str | None,
        docker_config: Path | None,
        proxy: str,
        **rest: Any,
    ) -> Any:
        password = _password(password_stdin, username)
        if plain_http and ca_file is not None:
            raise click.UsageError("--plain-http has no use for --ca-file, which means TLS")
        access = Access(username, password, plain_http, ca_file, docker_config, proxy)
        try:
            return command(*args, access=access, **rest)
        except RegistryError as error:
            explained = access.explained(error)
            if explained is error:
                raise
            raise explained from error

    decorated: Any = with_access
    for option in (
        click.option("--proxy", default="", metavar="URL", help="To go through: http://HOST:PORT."),
        docker_config_option,
        click.option(
            "--ca-file",
            type=click.Path(exists=True, dir_okay=False),
            metavar="FILE",
            help="PEM file to trust instead of the system's CAs; also with localhost.",
        ),
        click.option(
            "--plain-http",
            is_flag=True,
            help="No TLS; the default for localhost without --ca-file.",
        ),
        click.option(
            "--password-stdin", is_flag=True, help="Read the password from standard input."
        ),
        click.option("-u", "--username", metavar="NAME", help="With --password-stdin."),
    ):
        decorated = option(decorated)
    return cast("_Command", decorated)


def parse_reference(text: str) -> Reference:
    """Return the reference an argument is."""
    try:
        return Reference.parse(text)
    except BadReferenceError as error:
        raise click.UsageError(f"{text}: {error}") from error


def registry_host(text: str) -> str:
    """Return the registry an argument names: ``host[:port]``, nothing before or behind."""
    try:
        return Reference.parse(f"{text.removesuffix('/')}/any").registry
    except BadReferenceError as error:
        raise click.UsageError(f"{text} is no registry: write HOST or HOST:PORT") from error


def _password(from_stdin: bool, username: str | None) -> str | None:
    if from_stdin != bool(username):
        raise click.UsageError("--username and --password-stdin go together")
    if not from_stdin:
        return None
    secret = sys.stdin.readline().rstrip("\r\n")
    if not secret:
        raise click.UsageError("--password-stdin: standard input is empty")
    return secret
