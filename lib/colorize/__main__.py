"""``python -m colorize COMMAND``: the programs of the library that a person calls."""

import sys

COMMANDS = {
    "train": "train a network from its recipe",
    "measure": "measure the shipped networks on validation photos",
}


def main(arguments: list[str]) -> int:
    """Run one command; each is loaded only when it is asked for, and needs only its own packages."""
    if not arguments or arguments[0] not in COMMANDS:
        wrong = arguments and not arguments[0].startswith("-")
        if wrong:
            print(f"there is no command {arguments[0]!r}", file=sys.stderr)
        width = max(map(len, COMMANDS))
        print("usage: python -m colorize COMMAND ...\n", file=sys.stderr if wrong else sys.stdout)
        for name, what in COMMANDS.items():
            print(f"  {name:{width}}  {what}", file=sys.stderr if wrong else sys.stdout)
        return 2 if wrong else 0
    if arguments[0] == "train":
        from .train import main as command
    else:
        from .measure import main as command
    return command(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
