"""The ``lockstep`` command: what operators type. Each service brings its own commands."""

import sys

import click

from web.settings import SettingsError

EXIT_FAILED, EXIT_USAGE, EXIT_DEPENDENCY_DOWN, EXIT_INTERRUPTED = 1, 2, 4, 130

# A command is imported when it is called: an Admin host needs no settings of the Client's, nor the reverse.
_COMMANDS = {
    "config": "config_check:config",
    "export": "admin.cli:export",
    "import": "admin.cli:import_",
    "migrate": "lockstep:migrate",
    "relay": "admin.cli:relay",
    "shopper": "client.cli:shopper",
    "staff": "admin.cli:staff",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(__import__(module, fromlist=[name]), name)
        return command


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lockstep")
def cli() -> None:
    """Two services that tell the same story: Admin's catalogue at the Client, the Client's likes at Admin.

    Settings come from the environment or a .env file; 'lockstep config check' shows them.
    Exit codes: 0 ok, 1 failed, 2 usage or settings, 4 a dependency is down, 130 interrupted.
    """


@click.command()
@click.argument("service", type=click.Choice(["admin", "client"]))
@click.option("--revision", default="head", help="Admin only: go to this revision, up or down ('base': none).")
def migrate(service: str, revision: str) -> None:
    """Bring a service's database to the shape this version needs; repeating it changes nothing."""
    if service == "admin":
        from admin.cli import migrate_admin

        migrate_admin(revision)
    else:
        from client.cli import migrate_client

        migrate_client()


def main() -> None:
    """Run the command line; expected failures are one clear line on stderr."""
    try:
        code = cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except SettingsError as error:
        click.echo(f"Settings:\n{error}", err=True)
        code = EXIT_USAGE
    except BrokenPipeError:  # whoever read our output has seen enough
        sys.stderr.close()
        code = EXIT_FAILED
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = EXIT_INTERRUPTED
    except Exception as error:
        if type(error).__name__ not in {"OperationalError", "ServerSelectionTimeoutError", "AutoReconnect"}:
            raise
        click.echo(f"The database does not answer: {error.__cause__ or error}", err=True)
        code = EXIT_DEPENDENCY_DOWN
    sys.exit(code or 0)
