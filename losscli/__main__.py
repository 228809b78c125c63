"""`python -m losscli` is the `losscli` command."""

from losscli.cli.start import main

if __name__ == "__main__":
    main()
