"""The command line: ``ocizone COMMAND``. Commands are imported when they are used.

Data goes to stdout, talk to stderr; errors on purpose end in one message and a documented
status (cli.exit_codes), anything else is a bug and shows its traceback.
"""

from __future__ import annotations

import os
import sys
from difflib import get_close_matches
from importlib import import_module

import click

from ocizone import __version__
from ocizone.cli.exit_codes import Exit, exit_code_of
from ocizone.errors import OcizoneError
from ocizone.observe.printable import printable

#: Command -> module of ocizone.cli that holds a click command named ``command``.
COMMANDS = {
    "approve": "Release a version that is held.",
    "check": "Check Corefiles, zone files and directories; tell every finding.",
    "demo": "Registry, push, serve, change: the main job in one terminal.",
    "diff": "Show what differs between two versions, record by record.",
    "gc": "Remove what nothing refers to any more.",
    "healthcheck": "Ask a running server whether it is alive; for containers.",
    "help": "Explain a Corefile directive.",
    "history": "Show the versions of a source: served, held and refused.",
    "login": "Keep credentials of a registry, where docker keeps them.",
    "logout": "Forget the credentials of a registry.",
    "pin": "Serve one digest, whatever the tag names.",
    "pull": "Pull the files of an artifact, checked by digest.",
    "push": "Check zone files and push them as an artifact.",
    "refresh": "Look at the tags now.",
    "report": "Show what became of one version, state by state.",
    "resume": "End a suspension.",
    "rollback": "Serve the version before again, at once.",
    "serve": "Follow the tags of a Corefile and answer for their zones.",
    "status": "Show what running servers serve and follow.",
    "suspend": "Do not look at a tag for a while.",
    "tags": "List the tags of a repository, or those in a range of versions.",
    "unpin": "End a pin or a rollback.",
    "verify": "Hash what is stored again, or check who signed an artifact.",
    "version": "Print the version.",
    "which": "Tell which artifact, file and line answer a name.",
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used.

    ``serve`` needs Twisted, ``push`` needs requests; ``version`` should need neither.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by name."""
        if cmd_name not in COMMANDS:
            return None
        name = {"help": "explain"}.get(cmd_name, cmd_name)
        found = import_module(f"ocizone.cli.{name}").command
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command a line names; of an unknown one, the nearest is told."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], COMMANDS, 1)
            raise click.UsageError(
                error.message + (f" Did you mean {near[0]!r}?" if near else ""), ctx
            ) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 ok, 1 findings or failure, 2 usage or configuration, "
    "3 authentication, 4 network, 5 integrity or signature, 6 held, 7 some of several, "
    "130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", prog_name="ocizone")
def group() -> None:
    """Serve DNS zones that are OCI artifacts."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    try:
        status = group.main(arguments, prog_name="ocizone", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        sys.exit(Exit.INTERRUPTED)
    except click.UsageError as error:
        error.show()
        sys.exit(Exit.USAGE)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has had enough; what is left to flush must not say so again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(Exit.FAILED)
    except OSError as error:
        click.echo(f"{error.strerror or error}: {error.filename or 'standard output'}", err=True)
        sys.exit(Exit.FAILED)
    except OcizoneError as error:
        # What a registry answered may be among it.
        click.echo("\n".join(map(printable, str(error).split("\n"))), err=True)
        sys.exit(exit_code_of(error))
    sys.exit(status if isinstance(status, int) else Exit.OK)
