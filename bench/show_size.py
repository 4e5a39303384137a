"""Count the code of the pure packages, and name the largest functions.

    python bench/show_size.py [PACKAGE...]

Code lines are those that hold a token other than a comment or a docstring.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "ocizone"
NOT_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENCODING, tokenize.ENDMARKER,
}  # fmt: skip
Function = ast.FunctionDef | ast.AsyncFunctionDef


def code_lines(text: str, tree: ast.Module) -> set[int]:
    """Return the numbers of the lines that hold code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NOT_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            assert node.end_lineno is not None
            lines.difference_update(range(node.lineno, node.end_lineno + 1))
    return lines


def main(packages: list[str]) -> None:
    print("| package | files | lines | code | functions | largest function (code lines) |")
    print("|---|---|---|---|---|---|")
    for package in packages:
        files = total = code = 0
        sizes: list[tuple[int, str]] = []
        for path in sorted((PACKAGE / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            tree = ast.parse(text)
            own = code_lines(text, tree)
            files, total, code = files + 1, total + len(text.splitlines()), code + len(own)
            for node in ast.walk(tree):
                if isinstance(node, Function):
                    assert node.end_lineno is not None
                    span = own & set(range(node.lineno, node.end_lineno + 1))
                    sizes.append((len(span), f"{path.name}: {node.name}"))
        largest, name = max(sizes)
        print(f"| {package}/ | {files} | {total} | {code} | {len(sizes)} | {name} ({largest}) |")


if __name__ == "__main__":
    main(sys.argv[1:] or ["wire", "zone", "answer"])
