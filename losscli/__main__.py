"""`python -m losscli` is the `losscli` command."""

from losscli.cli.main import main

if __name__ == "__main__":
    main()
