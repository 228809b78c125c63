"""The options and operands of all commands: each is declared once, in the file of its group.

A command takes single options by their types (`quiet: Quiet = False`), whole groups by their class (`running: Running`),
and the options of a loss by `Typed`; `losscli.cli.command.command` makes an ordinary command of such a function. An
option that only one command has stands in that command's file.
"""
