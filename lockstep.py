"""The ``lockstep`` command: what operators type. Each service brings its own commands."""

import click

from web.commands import LazyCommand

_COMMANDS = {
    "config": "config_check:config",
    "doctor": "doctor.cli:doctor",
    "export": "admin.cli:export",
    "health": "doctor.health:health",
    "import": "admin.cli:import_",
    "likes": "client.likes.cli:likes",
    "migrate": "lockstep:migrate",
    "relay": "admin.cli:relay",
    "shopper": "client.cli:shopper",
    "staff": "admin.accounts.cli:staff",
    "sync": "admin.replication.cli:sync",
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lockstep")
def cli() -> None:
    """Two services that tell the same story: Admin's catalogue at the Client, the Client's likes at Admin.

    Settings come from the environment or a .env file; 'lockstep config check' shows them.
    Exit codes: 0 ok, 1 failed, 2 usage or settings, 3 out of step, 4 a dependency is down, 130 interrupted.
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


for _name, _target in _COMMANDS.items():
    cli.add_command(LazyCommand(_name, _target))


def main() -> None:
    """Run the command line."""
    cli()
