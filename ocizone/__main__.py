"""``python -m ocizone``: the same as the ``ocizone`` command."""

from ocizone.cli.main import main

if __name__ == "__main__":
    main()
