"""The ``lockstep`` command. Each service contributes its own sub-commands."""

import click

from runtime import uncaught
from runtime.cli.commands import LazyCommand

_COMMANDS = {
    "dead-letters": ("client.cli.dead_letters:dead_letters", "List, resync and discard dead letters."),
    "doctor": ("lockstep.doctor.cli:doctor", "Check the set-up, and say how to fix it."),
    "export": ("admin.cli.import_export:export", "Write all products to a file."),
    "health": ("lockstep.health:health", "Check whether a process works."),
    "import": ("admin.cli.import_export:import_", "Create or update products from a file."),
    "likes": ("client.cli.likes:likes", "Show and repair the sync of likes."),
    "migrate": ("lockstep.main:migrate", "Migrate a service's database to this version."),
    "relay": ("admin.cli.relay:relay", "Run the process that sends and verifies changes."),
    "shopper": ("client.cli.shoppers:shopper", "Manage shoppers' accounts."),
    "staff": ("admin.cli.staff:staff", "Manage staff accounts and API keys."),
    "sync": ("admin.cli.sync:sync", "Show and repair what is out of sync."),
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lockstep")
def cli() -> None:
    """Keep two services in sync: Admin's catalogue at the Client, and the Client's likes at Admin.

    Settings come from the environment or a .env file; 'lockstep doctor' checks and prints them.

    \b
    Examples:
      lockstep doctor                    check the set-up
      lockstep sync status               show whether the stores are in sync
      lockstep import catalogue.csv
      lockstep sync diff --help

    Data goes to standard output, everything else to standard error. Exit codes: 0 ok, 1 failed, 2 usage or settings,
    3 out of sync, 4 a dependency is down, 130 interrupted.
    """


@click.command()
@click.argument("service", type=click.Choice(["admin", "client"]))
@click.option("--revision", default="head", help="Admin only: migrate up or down to this revision; 'base' undoes all.")
def migrate(service: str, revision: str) -> None:
    """Migrate the database of SERVICE, admin or client, to this version. A second run changes nothing.

    \b
    Examples:
      lockstep migrate admin
      lockstep migrate client
      lockstep migrate admin --revision 0001
    """
    if service == "admin":
        from admin.cli.migrate import migrate_admin

        migrate_admin(revision)
    else:
        from client.cli.migrate import migrate_client

        migrate_client()


for _name, (_target, _line) in _COMMANDS.items():
    cli.add_command(LazyCommand(_name, _target, _line))


def main() -> None:
    """Run the command line."""
    uncaught.explain()
    cli()
