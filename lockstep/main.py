"""The ``lockstep`` command: what operators type. Each service brings its own commands."""

import click

from runtime import uncaught
from runtime.cli.commands import LazyCommand

_COMMANDS = {
    "config": ("lockstep.config_check:config", "Look at the settings."),
    "doctor": ("lockstep.doctor.cli:doctor", "Check the set-up, and say how to repair it."),
    "export": ("admin.cli.main:export", "Write every live product to a file."),
    "health": ("lockstep.health:health", "Say whether a process does its work."),
    "import": ("admin.cli.main:import_", "Create or update products from a file."),
    "likes": ("client.cli.likes:likes", "Shoppers' likes, between the shop and Admin."),
    "migrate": ("lockstep.main:migrate", "Bring a service's database to this version."),
    "relay": ("admin.cli.main:relay", "Run the process that sends and proves changes."),
    "shopper": ("client.cli.main:shopper", "Accounts of shoppers."),
    "staff": ("admin.cli.staff:staff", "Accounts of those who recheck the catalogue."),
    "sync": ("admin.cli.sync:sync", "What is out of sync, and repairing it."),
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lockstep")
def cli() -> None:
    """Two services that tell the same story: Admin's catalogue at the Client, the Client's likes at Admin.

    Settings come from the environment or a .env file; 'lockstep config check' shows them.

    \b
    Examples:
      lockstep doctor                    what is wrong with the set-up, and how to repair it
      lockstep sync status               whether all is in sync
      lockstep import catalogue.csv
      lockstep sync diff --help

    Data goes to standard output, everything else to standard error. Exit codes: 0 ok, 1 failed, 2 usage or settings,
    3 out of sync, 4 a dependency is down, 130 interrupted.
    """


@click.command()
@click.argument("service", type=click.Choice(["admin", "client"]))
@click.option("--revision", default="head", help="Admin only: go to this revision, up or down ('base': none).")
def migrate(service: str, revision: str) -> None:
    """Bring the database of SERVICE to the shape that this version needs. Repeating it changes nothing.

    \b
    Examples:
      lockstep migrate admin
      lockstep migrate client
      lockstep migrate admin --revision 0001
    """
    if service == "admin":
        from admin.cli.main import migrate_admin

        migrate_admin(revision)
    else:
        from client.cli.main import migrate_client

        migrate_client()


for _name, (_target, _line) in _COMMANDS.items():
    cli.add_command(LazyCommand(_name, _target, _line))


def main() -> None:
    """Run the command line."""
    uncaught.explain()
    cli()
